"""Publish a finished training and its test scores to MLflow, once.

Reads the training's folder, the result and evaluate.yaml. Writes nothing that DVC keeps: MLflow's database is a view of
those files, which `dvc repro -s -f track` fills again. Git has all of them but the trained weights; without these, as
in a fresh clone, a run is published without its model, and is completed when it is tracked again with them.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated

import typer
from filelock import FileLock, Timeout

from metaglot.core.common.atomic_files import sha256
from metaglot.core.common.credentials import without_credentials
from metaglot.core.common.errors import UserError
from metaglot.core.common.run_records import AdaptationRecord, RunRecord, read_history, read_record
from metaglot.core.common.stage_configs import load_stage_config
from metaglot.evaluation.result_record import Result
from metaglot.evaluation.stage_configs import EvaluateStageConfig
from metaglot.tracking.mlflow_figures import draw_figures
from metaglot.tracking.mlflow_run import experiment_name, mlflow_run
from metaglot.tracking.tracking_uri import VARIABLE, tracking_uri
from metaglot.tracking.trained_model import TrainedModel, trained_model
from stages.support import paths
from stages.support.command_line import run_command

LOCK_SECONDS = 120.0  # for other workers to publish


def main(
    algorithm: Annotated[str, typer.Argument(help="a name from params.yaml's `algorithms`")],
    seed: Annotated[int, typer.Option(help="one of params.yaml's `seeds`")] = 42,
) -> None:
    """Publish a finished training and its test scores to MLflow, once."""
    from metaglot.tracking.mlflow_client import check_environment, one_line_errors, open_client
    from metaglot.tracking.mlflow_publish import publish

    training = read_record(RunRecord, paths.run_record(algorithm, seed))
    history = read_history(paths.history(algorithm, seed))
    result = read_result(algorithm, seed)
    model = find_model(training, history, algorithm, seed)
    run = mlflow_run(training, history, result, model)
    run.tags.update(identity(algorithm, seed))
    uri = tracking_uri(os.environ.get(VARIABLE), paths.root())
    check_environment()
    with one_line_errors(uri), exclusive():
        figures = partial(draw_figures, run=training, history=history, result=result)
        publish(open_client(uri), uri, paths.root(), run, figures)
    no_model = "" if model else f"; no model was published: {paths.weights(algorithm, seed)} is not there"
    print(f"{run.name} is in MLflow's experiment {run.experiment} at {without_credentials(uri)}{no_model}")


def find_model(training: RunRecord, history: list[dict[str, float]], algorithm: str, seed: int) -> TrainedModel | None:
    """The trained network; None where there are no weights. Refuses weights that are not those that were tested."""
    weights, record = paths.weights(algorithm, seed), paths.adaptation(algorithm, seed)
    if not weights.exists():
        return None
    digest = sha256(weights)
    if record.exists() and read_record(AdaptationRecord, record).weights_sha256 != digest:
        raise UserError(f"{weights} is not what was tested ({record} names other weights): run `dvc repro`")
    return trained_model(training, history, experiment_name(training), paths.model(algorithm, seed), digest)


def read_result(algorithm: str, seed: int) -> Result:
    """The test scores, if they are what evaluate.yaml asks for."""
    path, asked = paths.result(algorithm, seed), paths.evaluate_config(algorithm)
    result = read_record(Result, path)
    if load_stage_config(EvaluateStageConfig, asked).evaluate != result.evaluate:
        raise UserError(f"{path} does not answer {asked}: run `dvc repro`, which evaluates before it publishes")
    return result


def identity(algorithm: str, seed: int) -> dict[str, str]:
    """The tags by which two publications are the same run, and by which corrected scores are known."""
    from metaglot.tracking.mlflow_publish import IDENTITY, RESULT

    record, asked = paths.run_record(algorithm, seed), paths.evaluate_config(algorithm)
    return {IDENTITY: f"{sha256(record)} {sha256(asked)}", RESULT: sha256(paths.result(algorithm, seed))}


@contextmanager
def exclusive() -> Iterator[None]:
    """Let one worker publish at a time: MLflow's schema migrations and our searches must not run at the same time."""
    path = paths.root() / ".metaglot" / "track.lock"
    path.parent.mkdir(exist_ok=True)
    try:
        with FileLock(path, timeout=LOCK_SECONDS):
            yield
    except Timeout:
        raise UserError(
            f"{path} has been held for {LOCK_SECONDS:.0f} s: run `dvc repro` again when it is free"
        ) from None


if __name__ == "__main__":
    run_command(main)
