"""What a published run lacks: points of its metrics, params, figures, its dataset, or its model."""

from collections import defaultdict

from mlflow.entities import Run

from metaglot.tracking.mlflow_client import MlflowClient
from metaglot.tracking.mlflow_figures import FIGURES
from metaglot.tracking.mlflow_model import find_logged
from metaglot.tracking.mlflow_registry import is_registered
from metaglot.tracking.mlflow_run import MlflowRun
from metaglot.tracking.trained_model import TrainedModel


def missing(client: MlflowClient, published: Run, run: MlflowRun) -> list[str]:
    """The names of what a published run should hold and does not, or does not hold completely."""
    steps = _steps(run)
    lacking = [name for name in steps if not steps[name] <= _stored_steps(client, published, name, steps[name])]
    lacking += sorted(run.params.keys() - published.data.params.keys())
    lacking += sorted(set(FIGURES) - _stored_files(client, published))
    has_dataset = published.inputs is not None and published.inputs.dataset_inputs
    lacking += [] if has_dataset else ["dataset"]
    lacks_model = run.model is not None and not _has_model(client, published, run.model)
    return [*lacking, "model"] if lacks_model else lacking


def _has_model(client: MlflowClient, published: Run, model: TrainedModel) -> bool:
    logged = find_logged(client, published, model)
    return logged is not None and is_registered(client, published, logged)


def _steps(run: MlflowRun) -> dict[str, set[int]]:
    steps = defaultdict(set)
    for point in run.points:
        steps[point.name].add(point.step)
    return steps


def _stored_steps(client: MlflowClient, published: Run, name: str, steps: set[int]) -> set[int]:
    """The steps at which MLflow has a value. Only a curve takes a request: the run itself has each latest value."""
    if name not in published.data.metrics:
        return set()
    if len(steps) == 1:
        return steps
    return {metric.step for metric in client.get_metric_history(published.info.run_id, name)}


def _stored_files(client: MlflowClient, published: Run) -> set[str]:
    files = client.list_artifacts(published.info.run_id)
    return {file.path for file in files if file.file_size}
