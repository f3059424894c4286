"""The scores of a tuning's candidates, and what its rule chooses: the best validation accuracy at the end.

No test task is scored: the candidates are trained, and validated during the training.
"""

from pathlib import Path
from typing import Any

from experiments import dvc_lock
from experiments.declared import FINDINGS, find_experiment
from metaglot.core.common.atomic_files import read_json, write_json
from metaglot.core.common.errors import UserError
from metaglot.core.common.run_records import RunRecord, read_history, read_record
from stages.support import paths

Candidate = dict[str, Any]


def candidates_file(name: str, findings: Path = FINDINGS) -> Path:
    return findings / name / "candidates.json"


def load_candidates(name: str, findings: Path = FINDINGS) -> list[Candidate]:
    """The recorded candidates by algorithm and number, without those that the grid no longer has."""
    file, declared = candidates_file(name, findings), find_experiment(name).candidates()
    recorded = read_json(file)["candidates"] if file.exists() else []
    return [candidate for candidate in recorded if is_declared(candidate, declared)]


def is_declared(candidate: Candidate, declared: dict[str, list[dict[str, Any]]]) -> bool:
    """Whether the candidate with that number has these settings in the grid."""
    numbered = dict(enumerate(declared.get(candidate["algorithm"], [])))
    return numbered.get(candidate["candidate"]) == candidate["settings"]


def save_candidates(part: str, folder: Path, findings: Path = FINDINGS) -> str:
    """Add to the record those candidates of a part that are trained in the folder; says what was done.

    A candidate's older score is replaced. If none is trained, nothing is written.
    """
    name, _, number = part.partition("/")
    new = {key(candidate): candidate for candidate in read_candidates(name, int(number), folder)}
    if not new:
        return f"{part}: no candidate is trained yet"
    both = {key(candidate): candidate for candidate in load_candidates(name, findings)} | new
    algorithms = list(find_experiment(name).grid)
    ordered = sorted(both.values(), key=lambda each: (algorithms.index(each["algorithm"]), each["candidate"]))
    record = {"candidates": ordered, "chosen": choose(name, ordered)}
    write_json(candidates_file(name, findings), record)
    return str(candidates_file(name, findings))


def key(candidate: Candidate) -> tuple[str, int]:
    return candidate["algorithm"], candidate["candidate"]


def read_candidates(name: str, number: int, folder: Path) -> list[Candidate]:
    """The scores of the candidates with that number which are trained in the folder."""
    experiment, code, finished = find_experiment(name), dvc_lock.commit_of_code(folder), dvc_lock.FinishedStages(folder)
    (seed,) = experiment.settings["seeds"]
    return [
        {"algorithm": algorithm, "candidate": number, "settings": tried[number], "code": code}
        | read_score(folder, algorithm, seed)
        for algorithm, tried in experiment.candidates().items()
        if finished.include(f"{algorithm}-{seed}", ("train",))
    ]


def read_score(folder: Path, algorithm: str, seed: int) -> Candidate:
    """The last validation accuracy of a training, with its time and its machine."""
    record = read_record(RunRecord, folder / paths.run_record(algorithm, seed))
    history = read_history(folder / paths.history(algorithm, seed))
    validated = [row for row in history if "validation_accuracy" in row]
    return {
        "label": record.label,
        "validation_accuracy": validated[-1]["validation_accuracy"],
        "iteration": int(validated[-1]["iteration"]),
        "train_seconds": record.train_seconds,
        "device": record.device,
    }


def choose(name: str, candidates: list[Candidate]) -> dict[str, dict[str, Any]]:
    """By algorithm: the settings of the best candidate, the first of equals, once all of its candidates are scored."""
    chosen = {}
    for algorithm, tried in find_experiment(name).candidates().items():
        scored = [candidate for candidate in candidates if candidate["algorithm"] == algorithm]
        if len(scored) == len(tried):
            chosen[algorithm] = max(scored, key=lambda candidate: candidate["validation_accuracy"])["settings"]
    return chosen


def chosen_settings(name: str, findings: Path = FINDINGS) -> dict[str, Any]:
    """What the tuning of an experiment chose, as changes to params.yaml; nothing if none is declared.

    An algorithm without a grid keeps its settings.
    """
    experiment = find_experiment(name)
    if experiment.tuned_by is None:
        return {}
    tuning = find_experiment(experiment.tuned_by)
    chosen = choose(experiment.tuned_by, load_candidates(experiment.tuned_by, findings))
    needed = [algorithm for algorithm in experiment.settings["algorithms"] if algorithm in tuning.grid]
    if missing := [algorithm for algorithm in needed if algorithm not in chosen]:
        raise UserError(
            f"{experiment.tuned_by} has not chosen settings of {', '.join(missing)} for {name}: "
            f"run `python -m experiments tune {experiment.tuned_by}`"
        )
    return {f"settings.{name}.{key}": value for name in needed for key, value in chosen[name].items()}
