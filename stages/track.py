"""Publish a finished training and its test scores to MLflow, once.

Reads run.json, history.csv, the result and evaluate.yaml. Writes nothing that DVC keeps: MLflow's database is
a view of those files, which `dvc repro -s -f track` fills again.
"""

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

import typer
from filelock import FileLock, Timeout
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from metaglot.core.common.atomic_files import sha256
from metaglot.core.common.errors import UserError
from metaglot.core.common.run_records import RunRecord, read_history, read_record
from metaglot.core.common.stage_configs import load_stage_config
from metaglot.evaluation.result_record import Result
from metaglot.evaluation.stage_configs import EvaluateStageConfig
from metaglot.tracking.mlflow_database import check_database, is_database, resolve_uri
from metaglot.tracking.mlflow_figures import draw_figures
from metaglot.tracking.mlflow_notes import ON_EXPERIMENT
from metaglot.tracking.mlflow_run import MlflowRun, mlflow_run
from stages.support import paths
from stages.support.command_line import run_command

# Read by MLflow when it is imported: no telemetry, no chatter, seconds of patience with a server.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "CRITICAL")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, Metric, Param
from mlflow.entities import Run as Published
from mlflow.exceptions import MlflowException

MIGRATIONS = Path(mlflow.__file__).parent / "store" / "db_migrations"
LOCK_SECONDS = 120.0  # for other workers to publish
DATABASE_SECONDS = 20.0  # for another program to let go of the database
IDENTITY, RESULT, EXPERIMENTS = "metaglot.identity", "metaglot.result", "dvc.experiments"
AGAIN = "run `dvc repro` again: nothing that was computed is lost"


def main(
    algorithm: Annotated[str, typer.Argument(help="a name from params.yaml's `algorithms`")],
    seed: Annotated[int, typer.Option(help="one of params.yaml's `seeds`")] = 42,
) -> None:
    """Publish a finished training and its test scores to MLflow, once."""
    training = read_record(RunRecord, paths.run_record(algorithm, seed))
    history = read_history(paths.history(algorithm, seed))
    result = scores(algorithm, seed)
    what = mlflow_run(training, history, result)
    what.tags.update(identity(algorithm, seed))
    uri = resolve_uri(os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db", paths.root())
    with one_line(uri), alone():
        publish(opened(uri), uri, what, partial(draw_figures, run=training, history=history, result=result))
    print(f"{what.name} is in MLflow's experiment {what.experiment}")


def scores(algorithm: str, seed: int) -> Result:
    """The test scores, if they are what evaluate.yaml asks for."""
    path, asked = paths.result(algorithm, seed), paths.evaluate_config(algorithm)
    result = read_record(Result, path)
    if load_stage_config(EvaluateStageConfig, asked).evaluate != result.evaluate:
        raise UserError(f"{path} does not answer {asked}: run `dvc repro`, which evaluates before it publishes")
    return result


def identity(algorithm: str, seed: int) -> dict[str, str]:
    """What makes two publications the same run, and what tells that its scores have changed since."""
    record, asked = paths.run_record(algorithm, seed), paths.evaluate_config(algorithm)
    return {IDENTITY: f"{sha256(record)} {sha256(asked)}", RESULT: sha256(paths.result(algorithm, seed))}


@contextmanager
def one_line(uri: str) -> Iterator[None]:
    """Say what kept MLflow from taking a run, and what to do."""
    try:
        yield
    except (MlflowException, SQLAlchemyError) as error:
        reason, address = " ".join(str(error).split()), re.sub("//[^/@]*@", "//", uri)  # without a password
        remedy = "mend that" if is_database(uri) else "start it, or unset MLFLOW_TRACKING_URI"
        raise UserError(f"MLflow at {address} took no run ({reason:.300}): {remedy}, then {AGAIN}") from None
    except OSError as error:
        reason = f"{error.filename or ''} {error.strerror or error}".strip()
        raise UserError(f"MLflow's files cannot be written ({reason}): mend that, then {AGAIN}") from None


@contextmanager
def alone() -> Iterator[None]:
    """Let one worker publish at a time: MLflow's migrations and our searches do not bear company."""
    path = paths.root() / ".metaglot" / "track.lock"
    path.parent.mkdir(exist_ok=True)
    try:
        with FileLock(path, timeout=LOCK_SECONDS):
            yield
    except Timeout:
        raise UserError(f"{path} has been held for {LOCK_SECONDS:.0f} s: when it is free, {AGAIN}") from None


def opened(uri: str) -> MlflowClient:
    """A client of a server, or of a database that is there, can be written and has this MLflow's schema."""
    if is_database(uri):
        url = make_url(uri)
        path = Path(url.database or "")
        if url.get_backend_name() == "sqlite" and not path.exists():
            create(path)
        check_database(url, MIGRATIONS, DATABASE_SECONDS)
    return MlflowClient(uri)


def create(path: Path) -> None:
    """Make an empty database, whole or not at all: MLflow cannot go on where its migrations were interrupted."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{path.name}.", dir=path.parent) as folder:
        MlflowClient(f"sqlite:///{folder}/{path.name}").search_experiments(max_results=1)
        os.replace(Path(folder) / path.name, path)


def publish(client: MlflowClient, uri: str, what: MlflowRun, draw_figures: Callable[[Path], None]) -> None:
    """Bring `what` into MLflow, or complete what was interrupted; a run already whole only gains a tag."""
    experiment = experiment_of(client, uri, what.experiment)
    found = published(client, experiment, what)
    names = [os.environ.get("DVC_EXP_NAME", "workspace")]  # latest first: MLflow cuts a tag that is too long
    names += [name for one in found for name in one.data.tags[EXPERIMENTS].split(", ")]
    tag = ", ".join(dict.fromkeys(names))
    if not found or found[0].data.tags[RESULT] != what.tags[RESULT]:
        client.create_run(experiment, what.started_at, what.tags | {EXPERIMENTS: tag}, what.name)
        found = published(client, experiment, what)
    kept, *superseded = found
    for one in superseded:  # a request that was sent twice, or scores that were corrected since
        client.delete_run(one.info.run_id)
    client.set_tag(kept.info.run_id, EXPERIMENTS, tag)
    if kept.info.status != "FINISHED":
        fill(client, kept.info.run_id, what, draw_figures)


def experiment_of(client: MlflowClient, uri: str, name: str) -> str:
    """The id of MLflow's experiment of that name, made if need be."""
    found = client.get_experiment_by_name(name)
    if found is None:
        artifacts = (paths.root() / "mlartifacts").as_uri() if is_database(uri) else None
        return client.create_experiment(name, artifacts, {"mlflow.note.content": ON_EXPERIMENT})
    if found.lifecycle_stage != "active":
        restore = f"mlflow experiments restore --experiment-id {found.experiment_id}"
        raise UserError(f"MLflow's experiment {name} was deleted: `{restore}` brings it back, then {AGAIN}")
    folder = Path(unquote(urlsplit(found.artifact_location).path))
    if is_database(uri) and found.artifact_location.startswith("file:") and not folder.parent.exists():
        raise UserError(
            f"MLflow's database keeps artifacts in {folder}, from where the repository has moved: move the database "
            "away, and `dvc repro -s -f track` fills a new one"
        )
    return found.experiment_id


def published(client: MlflowClient, experiment: str, what: MlflowRun) -> list[Published]:
    """The runs of this identity; first the one to keep: with these scores, complete, the same for all."""

    def rank(one: Published) -> tuple[bool, bool, str]:
        stale = one.data.tags[RESULT] != what.tags[RESULT]
        return stale, one.info.status != "FINISHED", one.info.run_id

    return sorted(client.search_runs([experiment], f"tags.`{IDENTITY}` = '{what.tags[IDENTITY]}'"), key=rank)


def fill(client: MlflowClient, run_id: str, what: MlflowRun, draw_figures: Callable[[Path], None]) -> None:
    """Log all of a run, also over what was logged of it before, and close it when its training ended."""
    with tempfile.TemporaryDirectory() as folder:
        draw_figures(Path(folder))
        client.log_artifacts(run_id, folder)
    split = Dataset(what.tags["dataset"], what.tags["split_sha256"][:8], "dvc", str(paths.SPLIT_RECORD))
    client.log_inputs(run_id, [DatasetInput(split)])
    params = [Param(name, value) for name, value in what.params.items()]
    metrics = [Metric(*point) for point in what.points]
    for first in range(0, len(params), 100):  # MLflow's limits on a request
        client.log_batch(run_id, params=params[first : first + 100])
    for first in range(0, len(metrics), 1000):
        client.log_batch(run_id, metrics=metrics[first : first + 1000])
    client.set_terminated(run_id, end_time=what.ended_at)


if __name__ == "__main__":
    run_command(main)
