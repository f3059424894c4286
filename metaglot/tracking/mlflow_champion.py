"""The alias `champion`: of all versions of a registered model, the one with the best validation accuracy.

The accuracy is that of the version's own weights on its validation tasks, as history.csv has it; test scores never
decide. Between equal ones the smaller seed is chosen, then the older version. A version that was never validated comes
last.
"""

from mlflow.entities.model_registry import ModelVersion

from metaglot.tracking.mlflow_client import MlflowClient
from metaglot.tracking.mlflow_model import SEED, VALIDATED

CHAMPION = "champion"
ATTEMPTS = 5  # at most; others may register versions at the same time


def update_champion(client: MlflowClient, registered_name: str) -> None:
    """Put the alias on the best version. It looks again afterwards, since another machine may have added a version."""
    for _ in range(ATTEMPTS):
        versions = client.search_model_versions(f"name = '{registered_name}'")
        best = min(versions, key=rank).version
        if client.get_registered_model(registered_name).aliases.get(CHAMPION) == str(best):
            return
        client.set_registered_model_alias(registered_name, CHAMPION, str(best))


def rank(version: ModelVersion) -> tuple[float, int, int]:
    """Smallest for the best version."""
    accuracy = float(version.tags.get(VALIDATED, -1))
    return -accuracy, int(version.tags.get(SEED, 2**32)), int(version.version)
