"""Publish one run to MLflow, once: what was interrupted is completed, what is whole only gains a tag."""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from mlflow.entities import Dataset, DatasetInput, Experiment, Metric, Param, Run

from metaglot.core.common.errors import UserError
from metaglot.tracking.mlflow_client import AGAIN, MlflowClient
from metaglot.tracking.mlflow_completeness import missing
from metaglot.tracking.mlflow_model import delete_models, log_model
from metaglot.tracking.mlflow_notes import ON_EXPERIMENT
from metaglot.tracking.mlflow_registry import delete_versions, find_versions, register_model, update_champion
from metaglot.tracking.mlflow_run import MlflowRun
from metaglot.tracking.tracking_uri import VARIABLE, is_database, sqlite_file

IDENTITY, RESULT, EXPERIMENTS = "metaglot.identity", "metaglot.result", "dvc.experiments"
SPLIT_RECORD = "data/splits/split.json"

DrawFigures = Callable[[Path], None]  # writes a run's figures into a folder


def publish(client: MlflowClient, uri: str, root: Path, run: MlflowRun, draw_figures: DrawFigures) -> None:
    """Bring a run into MLflow, or complete one that was interrupted, or that lacks what it should hold."""
    experiment = find_experiment(client, uri, root, run.experiment)
    published = find_published(client, experiment, run)
    names = [os.environ.get("DVC_EXP_NAME", "workspace")]  # latest first: MLflow cuts a tag that is too long
    names += [name for other in published for name in other.data.tags.get(EXPERIMENTS, "").split(", ")]
    tag = ", ".join(dict.fromkeys(filter(None, names)))
    if not published or published[0].data.tags.get(RESULT) != run.tags[RESULT]:
        client.create_run(experiment, run.started_at, run.tags | {EXPERIMENTS: tag}, run.name)
        published = find_published(client, experiment, run)
    kept, *superseded = published
    client.set_tag(kept.info.run_id, EXPERIMENTS, tag)
    if kept.info.status != "FINISHED" or missing(client, kept, run):
        log_run(client, kept, run, draw_figures)
    for other in superseded:  # a request that was sent twice, or scores that were corrected since
        delete_versions(client, other)
        delete_models(client, other)
        client.delete_run(other.info.run_id)
    for version in find_versions(client, kept):  # somebody may have renamed the registered model
        update_champion(client, version.name)


def find_published(client: MlflowClient, experiment: str, run: MlflowRun) -> list[Run]:
    """The runs of this identity; first the one to keep: with these scores, complete, the same for all."""

    def rank(other: Run) -> tuple[bool, bool, str]:
        stale = other.data.tags.get(RESULT) != run.tags[RESULT]
        return stale, other.info.status != "FINISHED", other.info.run_id

    return sorted(client.search_runs([experiment], f"tags.`{IDENTITY}` = '{run.tags[IDENTITY]}'"), key=rank)


def log_run(client: MlflowClient, published: Run, run: MlflowRun, draw_figures: DrawFigures) -> None:
    """Log all of a run, also over what was logged before; close it once MLflow is known to hold all of it."""
    run_id = published.info.run_id
    with tempfile.TemporaryDirectory() as folder:
        draw_figures(Path(folder))
        client.log_artifacts(run_id, folder)
    split = Dataset(run.tags["dataset"], run.tags["split_sha256"][:8], "dvc", SPLIT_RECORD)
    client.log_inputs(run_id, [DatasetInput(split)])
    params = [Param(name, value) for name, value in run.params.items()]
    model_id = None if run.model is None else log_model(client, client.get_run(run_id), run.model)
    last = {point.name: point for point in run.points}  # of each curve; these are the model's metrics too
    metrics = [Metric(*point, model_id if point is last[point.name] else None) for point in run.points]
    for first in range(0, len(params), 100):  # MLflow's limits on a request
        client.log_batch(run_id, params=params[first : first + 100], synchronous=True)
    for first in range(0, len(metrics), 1000):
        client.log_batch(run_id, metrics=metrics[first : first + 1000], synchronous=True)
    if run.model is not None and model_id is not None:
        register_model(client, published, model_id, run.model)
    if lacking := missing(client, client.get_run(run_id), run):
        raise UserError(f"MLflow did not keep {', '.join(lacking[:5])} of {run.name}: {AGAIN}")
    client.set_terminated(run_id, end_time=run.ended_at)


def find_experiment(client: MlflowClient, uri: str, root: Path, name: str) -> str:
    """The id of MLflow's experiment of that name, made if need be."""
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        return _create_experiment(client, uri, root, name)
    if experiment.lifecycle_stage != "active":
        restore = f"mlflow experiments restore --experiment-id {experiment.experiment_id}"
        raise UserError(f"MLflow's experiment {name} was deleted: `{restore}` brings it back, then {AGAIN}")
    if not is_database(uri) or not experiment.artifact_location.startswith("file:"):
        return str(experiment.experiment_id)
    artifacts = Path(url2pathname(urlsplit(experiment.artifact_location).path))
    if _is_own(uri, root) and not artifacts.is_relative_to(root):
        return _replace_experiment(client, uri, root, experiment, artifacts)
    if not artifacts.parent.exists():
        raise UserError(
            f"MLflow's experiment {name} keeps its artifacts in {artifacts}, and {artifacts.parent} is no folder: make "
            f"it, or name another database in {VARIABLE}; then {AGAIN}"
        )
    return str(experiment.experiment_id)


def _create_experiment(client: MlflowClient, uri: str, root: Path, name: str) -> str:
    """Artifacts lie in the repository, or beside the database where that lies elsewhere; a server keeps its own."""
    path = sqlite_file(uri)
    folder = root if path is None else path.parent
    artifacts = (folder / "mlartifacts").as_uri() if is_database(uri) else None
    return client.create_experiment(name, artifacts, {"mlflow.note.content": ON_EXPERIMENT})


def _is_own(uri: str, root: Path) -> bool:
    """Whether the database lies in this repository, so that nobody else publishes to it."""
    path = sqlite_file(uri)
    return path is not None and path.is_relative_to(root)


def _replace_experiment(client: MlflowClient, uri: str, root: Path, experiment: Experiment, artifacts: Path) -> str:
    """In a repository that was copied or moved: keep the old experiment under another name, and begin a new one.

    If the repository was here before, its experiment gets its name back.
    """
    kept = _name_of(experiment.name, artifacts)
    client.rename_experiment(experiment.experiment_id, kept)
    print(f"MLflow's experiment of {artifacts.parent} is kept as `{kept}`", file=sys.stderr)
    earlier = client.get_experiment_by_name(_name_of(experiment.name, root / "mlartifacts"))
    if earlier is None or earlier.lifecycle_stage != "active":
        return _create_experiment(client, uri, root, experiment.name)
    client.rename_experiment(earlier.experiment_id, experiment.name)
    return str(earlier.experiment_id)


def _name_of(experiment: str, artifacts: Path) -> str:
    return f"{experiment} (artifacts in {artifacts})"
