"""What `configure` hands to `report`."""

from typing import Annotated, Any

from pydantic import Field

from metaglot.core.common.stage_configs import Model, Seed, SplitRef, StrictModel, TaskConfig


class RunRef(StrictModel):
    """One run of the comparison."""

    algorithm: str
    label: str
    first_order: bool | None
    seed: Seed


class ReportStageConfig(StrictModel):
    """`report.yaml`. margin: the equivalence margin for accuracy, a fraction of one. rows: the runs to compare.

    params: every value of params.yaml by its dotted key, so that a command need only name what differs. is_folder:
    whether the data set is a folder of images, which has no published results.
    """

    dataset: str
    margin: Annotated[float, Field(gt=0, lt=1)]
    task: TaskConfig
    model: Model
    split: SplitRef
    rows: list[RunRef]
    params: dict[str, Any] = {}
    is_folder: bool = False
