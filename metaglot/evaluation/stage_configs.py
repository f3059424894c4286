"""What `configure` hands to `evaluate`."""

from typing import Annotated, Any

from pydantic import Field

from metaglot.core.common.stage_configs import ComputeConfig, Rate, RunIdentity, Seed, Steps, StrictModel


class EvaluationConfig(StrictModel):
    """Testing on tasks that are a function of (seed, index): the same for every algorithm."""

    tasks: Annotated[int, Field(ge=2, le=1_000_000)]
    adaptation_steps: Steps
    seed: Seed


class EvaluateStageConfig(RunIdentity):
    """`<algorithm>/evaluate.yaml`. fast_lr, settings: of the algorithm, resolved."""

    fast_lr: Rate
    evaluate: EvaluationConfig
    run: ComputeConfig
    settings: dict[str, Any]
