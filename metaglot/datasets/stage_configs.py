"""What `configure` hands to `download` and `preprocess`."""

from typing import Literal

from metaglot.core.common.stage_configs import ImageForm, ImageSize, SplitRef, StrictModel


class DownloadStageConfig(StrictModel):
    """`data.yaml`: a name in metaglot/datasets/registry.py."""

    source: str


class FolderConfig(StrictModel):
    """The section `data` of params.yaml for a folder of images.

    images_needed: of a class by a task; a class with fewer is left out. ways: classes needed in each part of the split.
    """

    path: str
    groups: Literal["none", "folders"]
    form: ImageForm
    unreadable: Literal["refuse", "skip"]
    images_needed: int
    ways: int


class PreprocessStageConfig(SplitRef):
    """`split.yaml`: numbers of classes for `random`; null for `background`, where the groups decide.

    folder: of images; null for a data set of metaglot/datasets/registry.py. Of a folder a part may be a fraction of
    its classes, or with `background` of its groups.
    """

    dataset: str
    image_size: ImageSize
    train: int | float | None
    validation: int | float | None
    test: int | float | None
    folder: FolderConfig | None = None
