"""Every data set that `data.source` in params.yaml may name, and where its class is."""

from pkgutil import resolve_name

from metaglot.core.common.errors import UserError
from metaglot.datasets.dataset import Dataset

DATASETS = {
    "omniglot": "metaglot.datasets.omniglot:Omniglot",
    "omniglot-nearest": "metaglot.datasets.omniglot:OmniglotNearest",
    "glyphs": "metaglot.datasets.synthetic_glyphs:Glyphs",
}
FOLDER = "folder"  # the `data.source` of a folder of images, which `data.path` names
SOURCES = (*DATASETS, FOLDER)
USER_ARRAYS = "arrays"  # the name of what `metaglot.meta_train` was given; user images are shrunk as Omniglot's


def registered_names() -> set[str]:
    """What configs and results call the data sets of the registry, and images that were given as arrays."""
    return {USER_ARRAYS, *(load_dataset(source).name for source in DATASETS)}


def load_dataset(source: str, asked_by: object = "data.source") -> Dataset:
    """The data set that `data.source` names. asked_by: the file or option that an error begins with."""
    if source not in DATASETS:
        raise UserError(f"{asked_by}: there is no data set {source[:60]!r}; there are {', '.join(DATASETS)}")
    dataset: Dataset = resolve_name(DATASETS[source])()
    return dataset


def load_dataset_by_name(name: str, asked_by: object = "dataset") -> Dataset:
    """The data set that configs and results call `name`."""
    if name == USER_ARRAYS:
        return load_dataset("omniglot")
    for source in DATASETS:
        if (dataset := load_dataset(source)).name == name:
            return dataset
    raise UserError(f"{asked_by}: there is no data set {name[:60]!r} in metaglot/datasets/registry.py")
