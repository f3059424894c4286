"""What `configure` hands to `evaluate`."""

from typing import Any

from metaglot.core.common.stage_configs import ComputeConfig, EvaluationConfig, Rate, RunIdentity


class EvaluateStageConfig(RunIdentity):
    """`<algorithm>/evaluate.yaml`. fast_lr, settings: of the algorithm, resolved."""

    fast_lr: Rate
    evaluate: EvaluationConfig
    run: ComputeConfig
    settings: dict[str, Any]
