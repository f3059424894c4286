"""What `configure` hands to `evaluate`."""

from typing import Annotated, Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from metaglot.core.common.stage_configs import ComputeConfig, Heads, Rate, RunIdentity, Seed, Steps, StrictModel

TEST_SPLIT = "data/splits/test.npz"  # what `preprocess` writes


class EvaluationConfig(StrictModel):
    """Testing on tasks that are a function of (seed, index): the same for every algorithm.

    sequences: of `sequence_length` tasks each, scored after every task; 0 scores none. sequence_heads: one that all
    tasks of a sequence share, or several, one for each.
    test_split: the file of the test classes; that of another project tests the networks on its data set.
    """

    tasks: Annotated[int, Field(ge=2, le=1_000_000)]
    adaptation_steps: Steps
    seed: Seed
    sequences: Annotated[int, Field(ge=0, le=100_000)] = 0
    sequence_length: Annotated[int, Field(ge=1, le=100)] = 10
    sequence_heads: Heads = "one"
    test_split: Annotated[str, Field(pattern=r"^[^~]", description="the path of a test.npz, without ~")] = TEST_SPLIT

    @model_serializer(mode="wrap")
    def _without_unused_keys(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without sequences, several heads or another test split, records are those of a test that knows none."""
        values: dict[str, Any] = dump(self)
        unused = set() if self.sequences else {"sequences", "sequence_length"}
        unused |= {"sequence_heads"} if not self.sequences or self.sequence_heads == "one" else set()
        unused |= {"test_split"} if self.test_split == TEST_SPLIT else set()
        return {key: value for key, value in values.items() if key not in unused}


class EvaluateStageConfig(RunIdentity):
    """`<algorithm>/evaluate.yaml`. fast_lr, settings: of the algorithm, resolved."""

    fast_lr: Rate
    evaluate: EvaluationConfig
    run: ComputeConfig
    settings: dict[str, Any]
