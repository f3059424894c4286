"""What `configure` hands to `download` and `preprocess`."""

from metaglot.core.common.stage_configs import ImageSize, SplitRef, StrictModel


class DownloadStageConfig(StrictModel):
    """`data.yaml`: a name in metaglot/datasets/registry.py."""

    source: str


class PreprocessStageConfig(SplitRef):
    """`split.yaml`: numbers of classes for `random`; null for `background`, where the groups decide."""

    dataset: str
    image_size: ImageSize
    train: int | None
    validation: int | None
    test: int | None
