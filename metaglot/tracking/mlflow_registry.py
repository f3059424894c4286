"""Registered models: a version for each run that has a model, and the alias `champion` on the best of them.

The best version has the best validation accuracy, that of its own weights on its validation tasks, as history.csv has
it; test scores never decide. Between equal ones the smaller seed is chosen, then the older version. A version that was
never validated comes last.
"""

import json

from mlflow.entities import LoggedModel, Run
from mlflow.entities.model_registry import ModelVersion

from metaglot.tracking.mlflow_client import MlflowClient, MlflowException
from metaglot.tracking.mlflow_model import WEIGHTS
from metaglot.tracking.mlflow_notes import model_note
from metaglot.tracking.trained_model import TrainedModel

LOGGED = "metaglot.model"  # the logged model's id, which MLflow's databases do not give back with a version
SEED, VALIDATED = "metaglot.seed", "metaglot.validation_accuracy"
VERSIONS = "mlflow.modelVersions"  # MLflow's own tag: what its pages show as the versions of a logged model
CHAMPION = "champion"
ATTEMPTS = 5  # at most; others may register versions at the same time


def find_versions(client: MlflowClient, published: Run) -> list[ModelVersion]:
    """The versions of registered models that are of this run; the oldest first."""
    versions = client.search_model_versions(f"run_id = '{published.info.run_id}'")
    return sorted(versions, key=lambda version: int(version.version))


def is_registered(client: MlflowClient, published: Run, logged: LoggedModel) -> bool:
    """Whether the run has one version, of this model, and the model says so."""
    ids = [version.tags.get(LOGGED) for version in find_versions(client, published)]
    return VERSIONS in logged.tags and ids == [logged.model_id]


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


def delete_versions(client: MlflowClient, published: Run) -> None:
    for version in find_versions(client, published):
        client.delete_model_version(version.name, str(version.version))


def update_champion(client: MlflowClient, registered_name: str) -> None:
    """Put the alias on the best version. It looks again afterwards, since another machine may have added a version."""
    for _ in range(ATTEMPTS):
        quote = '"' if "'" in registered_name else "'"  # somebody may have renamed the model
        versions = client.search_model_versions(f"name = {quote}{registered_name}{quote}")
        best = min(versions, key=rank).version
        if client.get_registered_model(registered_name).aliases.get(CHAMPION) == str(best):
            return
        client.set_registered_model_alias(registered_name, CHAMPION, str(best))


def rank(version: ModelVersion) -> tuple[float, int, int]:
    """Smallest for the best version."""
    accuracy = float(version.tags.get(VALIDATED, -1))
    return -accuracy, int(version.tags.get(SEED, 2**32)), int(version.version)
