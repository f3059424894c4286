"""What `configure` hands to `evaluate`."""

from typing import Annotated, Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from metaglot.core.common.stage_configs import ComputeConfig, Rate, RunIdentity, Seed, Steps, StrictModel


class EvaluationConfig(StrictModel):
    """Testing on tasks that are a function of (seed, index): the same for every algorithm.

    sequences: of `sequence_length` tasks each, scored after every task; 0 scores none.
    """

    tasks: Annotated[int, Field(ge=2, le=1_000_000)]
    adaptation_steps: Steps
    seed: Seed
    sequences: Annotated[int, Field(ge=0, le=100_000)] = 0
    sequence_length: Annotated[int, Field(ge=1, le=100)] = 10

    @model_serializer(mode="wrap")
    def _without_unused_keys(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without sequences, records are those of a test that knows none."""
        values: dict[str, Any] = dump(self)
        return values if self.sequences else {k: v for k, v in values.items() if not k.startswith("sequence")}


class EvaluateStageConfig(RunIdentity):
    """`<algorithm>/evaluate.yaml`. fast_lr, settings: of the algorithm, resolved."""

    fast_lr: Rate
    evaluate: EvaluationConfig
    run: ComputeConfig
    settings: dict[str, Any]
