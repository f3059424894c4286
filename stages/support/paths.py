"""The paths of all files, relative to the working directory (a DVC workspace or a temporary copy of one)."""

import os
from pathlib import Path

DATA = Path("data")
CONFIG = DATA / "config"
RAW = DATA / "raw"
SPLITS = DATA / "splits"
REPORT = DATA / "report"

DATA_CONFIG = CONFIG / "data.yaml"
SPLIT_CONFIG = CONFIG / "split.yaml"
REPORT_CONFIG = CONFIG / "report.yaml"
SOURCE = RAW / "source.json"
SPLIT_RECORD = SPLITS / "split.json"
COMPARISON = REPORT / "comparison.json"


def root() -> Path:
    """The repository that owns this run: the working directory, or the one that DVC made a temporary copy of it from.

    DVC_ROOT alone does not tell: another project's DVC sets it for what its stages start.
    """
    here = Path.cwd().resolve()
    owner = Path(os.environ.get("DVC_ROOT", here)).resolve()
    return owner if here.is_relative_to(owner / ".dvc" / "tmp") else here


def split(part: str) -> Path:
    return SPLITS / f"{part}.npz"


def train_config(algorithm: str) -> Path:
    return CONFIG / algorithm / "train.yaml"


def evaluate_config(algorithm: str) -> Path:
    return CONFIG / algorithm / "evaluate.yaml"


def model(algorithm: str, seed: int) -> Path:
    return DATA / "models" / f"{algorithm}-{seed}"


def weights(algorithm: str, seed: int) -> Path:
    return model(algorithm, seed) / "weights.safetensors"


def run_record(algorithm: str, seed: int) -> Path:
    return model(algorithm, seed) / "run.json"


def history(algorithm: str, seed: int) -> Path:
    return model(algorithm, seed) / "history.csv"


def alignment(algorithm: str, seed: int) -> Path:
    return model(algorithm, seed) / "alignment.csv"


def adaptation(algorithm: str, seed: int) -> Path:
    return model(algorithm, seed) / "adaptation.json"


def result(algorithm: str, seed: int) -> Path:
    return DATA / "results" / f"{algorithm}-{seed}.json"


def scores(algorithm: str, seed: int) -> Path:
    return DATA / "scores" / f"{algorithm}-{seed}.npz"
