"""The model of one run in MLflow: logged, with all its files, and registered as a version, once.

Each step may be interrupted, and the next publication goes on from there. A model is READY once all its files are
known to be stored.
"""

import json
import tempfile
from pathlib import Path

from mlflow.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus, Run
from mlflow.entities.model_registry import ModelVersion

from metaglot.core.common.errors import UserError
from metaglot.tracking.mlflow_client import AGAIN, MlflowClient, MlflowException
from metaglot.tracking.mlflow_model_folder import FILES, write_model_folder
from metaglot.tracking.mlflow_notes import model_note
from metaglot.tracking.mlflow_run import TrainedModel

WEIGHTS, SEED, VALIDATED = "metaglot.weights", "metaglot.seed", "metaglot.validation_accuracy"
LOGGED = "metaglot.model"  # of a version: the logged model's id, which MLflow's databases do not give back
VERSIONS = "mlflow.modelVersions"  # MLflow's own tag: what its pages show as the versions of a logged model


def find_models(client: MlflowClient, published: Run) -> list[LoggedModel]:
    """The models that this run logged, also those that were interrupted; complete ones first."""
    experiment, run_id = published.info.experiment_id, published.info.run_id
    models = client.search_logged_models([experiment], f"source_run_id = '{run_id}'")
    return sorted(models, key=lambda model: (model.status != LoggedModelStatus.READY, model.model_id))


def find_versions(client: MlflowClient, published: Run) -> list[ModelVersion]:
    """The versions of registered models that are of this run; the oldest first."""
    versions = client.search_model_versions(f"run_id = '{published.info.run_id}'")
    return sorted(versions, key=lambda version: int(version.version))


def has_model(client: MlflowClient, published: Run, model: TrainedModel) -> bool:
    """Whether the run's model is complete, linked to the run, and registered."""
    logged = next((other for other in find_models(client, published) if _is_of(other, model)), None)
    if logged is None or logged.status != LoggedModelStatus.READY or not _has_files(client, logged, model):
        return False
    is_linked = logged.model_id in _outputs(published) and VERSIONS in logged.tags and bool(logged.metrics)
    return is_linked and [version.tags.get(LOGGED) for version in find_versions(client, published)] == [logged.model_id]


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


def register_model(client: MlflowClient, published: Run, model_id: str, model: TrainedModel) -> None:
    """Make the logged model a version of the registered one, which is made if need be."""
    try:
        client.create_registered_model(model.registered_name, description=model_note(model.registered_name))
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    before = find_versions(client, published)
    same = [version for version in before if version.tags.get(LOGGED) == model_id]
    version = same[0] if same else _create_version(client, published, model_id, model)
    for other in before:  # a request that was sent twice, or a version of a model that was deleted
        if other.version != version.version:
            client.delete_model_version(other.name, str(other.version))
    versions = json.dumps([{"name": version.name, "version": str(version.version)}])
    client.set_logged_model_tags(model_id, {VERSIONS: versions})


def delete_models(client: MlflowClient, published: Run) -> None:
    """Delete what was registered and logged of a run that is to be deleted."""
    for version in find_versions(client, published):
        client.delete_model_version(version.name, str(version.version))
    for logged in find_models(client, published):
        client.delete_logged_model(logged.model_id)


def _create_version(client: MlflowClient, published: Run, model_id: str, model: TrainedModel) -> ModelVersion:
    tags = {LOGGED: model_id, WEIGHTS: model.weights_sha256, SEED: str(model.seed)}
    if model.validation_accuracy is not None:
        tags[VALIDATED] = repr(model.validation_accuracy)
    source = client.get_logged_model(model_id).artifact_location
    return client.create_model_version(
        model.registered_name,
        source,
        published.info.run_id,
        tags,
        description=published.info.run_name,
        await_creation_for=0,
        model_id=model_id,
    )


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
    stored = _sizes(client, logged.model_id, "artifacts")
    files = [model.folder / name for name in FILES if (model.folder / name).exists()]
    return "MLmodel" in top and all(stored.get(f"artifacts/{path.name}") == path.stat().st_size for path in files)


def _sizes(client: MlflowClient, model_id: str, folder: str | None = None) -> dict[str, int | None]:
    return {file.path: file.file_size for file in client.list_logged_model_artifacts(model_id, folder)}


def _stored_files(client: MlflowClient, model_id: str, folder: str | None = None) -> dict[str, int]:
    """The sizes of all files of a logged model."""
    sizes: dict[str, int] = {}
    for file in client.list_logged_model_artifacts(model_id, folder):
        sizes |= _stored_files(client, model_id, file.path) if file.is_dir else {file.path: file.file_size or 0}
    return sizes
