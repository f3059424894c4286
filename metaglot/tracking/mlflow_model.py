"""The model of one run in MLflow: logged once, with all its files.

Each step may be interrupted, and the next publication goes on from there. A model is READY once all its files are
known to be stored.
"""

import tempfile
from pathlib import Path

from mlflow.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus, Run

from metaglot.core.common.errors import UserError
from metaglot.tracking.mlflow_client import AGAIN, MlflowClient
from metaglot.tracking.mlflow_model_folder import FILES, write_model_folder
from metaglot.tracking.trained_model import TrainedModel

WEIGHTS = "metaglot.weights"  # the tag with the digest of the trained network


def find_models(client: MlflowClient, published: Run) -> list[LoggedModel]:
    """The models that this run logged, also those that were interrupted; complete ones first."""
    experiment, run_id = published.info.experiment_id, published.info.run_id
    models = client.search_logged_models([experiment], f"source_run_id = '{run_id}'")
    return sorted(models, key=lambda model: (model.status != LoggedModelStatus.READY, model.model_id))


def find_logged(client: MlflowClient, published: Run, model: TrainedModel) -> LoggedModel | None:
    """The run's model, if it is READY, has its files and its metrics, and is linked to the run."""
    logged = next((other for other in find_models(client, published) if _is_of(other, model)), None)
    if logged is None or logged.status != LoggedModelStatus.READY or not _has_files(client, logged, model):
        return None
    return logged if logged.metrics and logged.model_id in _outputs(published) else None


def log_model(client: MlflowClient, published: Run, model: TrainedModel) -> str:
    """Log a run's network, or complete what was interrupted. Returns the model's id."""
    models = find_models(client, published)
    logged = next((other for other in models if _is_of(other, model)), None)
    if logged is None:
        experiment, run_id = published.info.experiment_id, published.info.run_id
        logged = client.create_logged_model(experiment, model.folder.name, run_id, {WEIGHTS: model.weights_sha256})
    if logged.status != LoggedModelStatus.READY or not _has_files(client, logged, model):
        _upload(client, published, logged, model)
        client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
    if logged.model_id not in _outputs(published):
        client.log_outputs(published.info.run_id, [LoggedModelOutput(logged.model_id, 0)])
    for other in models:  # a request that was sent twice, or a model of other weights
        if other.model_id != logged.model_id:
            client.delete_logged_model(other.model_id)
    return str(logged.model_id)


def delete_models(client: MlflowClient, published: Run) -> None:
    for logged in find_models(client, published):
        client.delete_logged_model(logged.model_id)


def _is_of(logged: LoggedModel, model: TrainedModel) -> bool:
    return logged.tags.get(WEIGHTS) == model.weights_sha256


def _outputs(published: Run) -> list[str]:
    return [output.model_id for output in published.outputs.model_outputs] if published.outputs else []


def _upload(client: MlflowClient, published: Run, logged: LoggedModel, model: TrainedModel) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, model.folder.name)
        write_model_folder(folder, model.folder, model.algorithm, published.info.run_id, logged.model_id)
        client.log_model_artifacts(logged.model_id, str(folder))
        local = {str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    stored = _stored_files(client, logged.model_id)
    if lacking := sorted(name for name in local if stored.get(name) != local[name]):
        raise UserError(
            f"MLflow did not keep {', '.join(lacking[:5])} of the model of {published.info.run_name}: {AGAIN}"
        )


def _has_files(client: MlflowClient, logged: LoggedModel, model: TrainedModel) -> bool:
    """Whether MLmodel and the trained network are stored. The other files were when the model became READY."""
    top = {file.path for file in client.list_logged_model_artifacts(logged.model_id) if file.file_size}
    stored = {file.path: file.file_size for file in client.list_logged_model_artifacts(logged.model_id, "artifacts")}
    files = [model.folder / name for name in FILES if (model.folder / name).exists()]
    return "MLmodel" in top and all(stored.get(f"artifacts/{path.name}") == path.stat().st_size for path in files)


def _stored_files(client: MlflowClient, model_id: str, folder: str | None = None) -> dict[str, int]:
    """The sizes of all files of a logged model."""
    sizes: dict[str, int] = {}
    for file in client.list_logged_model_artifacts(model_id, folder):
        sizes |= _stored_files(client, model_id, file.path) if file.is_dir else {file.path: file.file_size or 0}
    return sizes
