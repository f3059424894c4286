"""The model that `track` publishes with a run: logged with all its files, registered, and one of them the champion."""

import json
import random
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import finished_run
import pytest
from draws import often
from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelStatus, Run
from mlflow.entities.model_registry import ModelVersion
from mlflow_runs import MODEL, TASK, change, client, experiment, killed, runs

from metaglot.core.common.atomic_files import read_json, sha256, write_json
from metaglot.core.common.errors import UserError
from metaglot.tracking.mlflow_client import MlflowException
from metaglot.tracking.mlflow_registry import update_champion
from stages import track
from stages.support import paths


def write(seed: int = 42, accuracy: float | None = None, algorithm: str = "maml", **changes: Any) -> Path:
    """Write a finished training whose weights are some bytes, which `track` does not look into."""
    finished_run.write(algorithm, seed, **changes)
    weights = paths.weights(algorithm, seed)
    weights.write_bytes(f"{algorithm} {seed}".encode() * 1000)
    write_json(paths.adaptation(algorithm, seed), {"adaptation_steps": 1, "weights_sha256": sha256(weights)})
    if accuracy is not None:
        history = paths.history(algorithm, seed)
        *rows, last = history.read_text().splitlines()
        cells = last.split(",")
        history.write_text("\n".join([*rows, ",".join([*cells[:5], str(accuracy), *cells[6:]])]) + "\n")
    return weights


def publish(seed: int = 42, accuracy: float | None = None) -> None:
    """Write such a training of MAML, and publish it."""
    write(seed, accuracy)
    track.main("maml", seed)


def models(of: MlflowClient) -> list[LoggedModel]:
    return list(of.search_logged_models([experiment(of).experiment_id]))


def versions(of: MlflowClient, name: str = MODEL) -> list[ModelVersion]:
    return sorted(of.search_model_versions(f"name = '{name}'"), key=lambda version: int(version.version))


def champion(of: MlflowClient, name: str = MODEL) -> str:
    """The run's name of the version that has the alias."""
    return str(of.get_model_version_by_alias(name, "champion").description)


def whole(of: MlflowClient) -> tuple[Run, LoggedModel, ModelVersion]:
    """The only run, its only model and version, which belong together and lack nothing."""
    ((run,), (model,), (version,)) = runs(of), models(of), versions(of)
    assert (run.info.status, model.status) == ("FINISHED", LoggedModelStatus.READY)
    assert [output.model_id for output in run.outputs.model_outputs] == [model.model_id]
    assert (model.source_run_id, version.run_id) == (run.info.run_id, run.info.run_id)
    assert version.source == model.artifact_location and version.status == "READY"
    assert json.loads(model.tags["mlflow.modelVersions"]) == [{"name": version.name, "version": str(version.version)}]
    assert artifacts(model).joinpath("artifacts/weights.safetensors").read_bytes() == b"maml 42" * 1000
    return run, model, version


def artifacts(model: LoggedModel) -> Path:
    return Path(model.artifact_location.removeprefix("file://"))


def test_a_run_that_is_published_twice_has_one_model_with_the_metrics_of_its_end(workspace: Path) -> None:
    publish()
    first = whole(client(workspace))
    track.main("maml", 42)
    run, model, version = whole(client(workspace))
    assert (model.model_id, version.version) == (first[1].model_id, first[2].version)
    assert artifacts(model) == workspace / "mlartifacts/models" / model.model_id / "artifacts"
    assert {metric.key: metric.value for metric in model.metrics or []} == run.data.metrics
    assert "test_accuracy" in run.data.metrics and champion(client(workspace)) == "MAML · seed 42"
    assert "champion" in client(workspace).get_registered_model(MODEL).description
    assert (model.name, version.name, version.description) == ("maml-42", MODEL, run.info.run_name)


def test_without_weights_a_run_is_published_without_a_model_and_gets_it_later(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    track.main("maml", 42)
    assert capsys.readouterr().out.endswith(
        "; no model was published: data/models/maml-42/weights.safetensors is not there\n"
    )
    (run,) = runs(client(workspace))
    assert run.info.status == "FINISHED" and models(client(workspace)) == []
    publish()
    assert "no model" not in capsys.readouterr().out
    assert whole(client(workspace))[0].info.run_id == run.info.run_id


def test_weights_that_were_not_tested_are_refused_before_anything_is_published(workspace: Path) -> None:
    write().write_bytes(b"of another training")
    with pytest.raises(UserError, match="weights.safetensors is not what was tested .*adaptation.json names other"):
        track.main("maml", 42)
    assert client(workspace).get_experiment_by_name(TASK) is None


def test_the_champion_is_the_seed_with_the_best_validation_accuracy_of_its_last_iteration(workspace: Path) -> None:
    for seed, accuracy, best in ((6, 0.90, 6), (7, 0.95, 7), (5, 0.95, 5)):
        publish(seed, accuracy)
        assert champion(client(workspace)) == f"MAML · seed {best}"
    assert len(versions(client(workspace))) == 3


def test_one_that_was_never_validated_is_the_champion_only_while_it_is_alone(workspace: Path) -> None:
    write(1)
    paths.history("maml", 1).write_text(paths.history("maml", 1).read_text().splitlines()[0] + "\n")
    track.main("maml", 1)
    assert champion(client(workspace)) == "MAML · seed 1"
    publish(2, 0.2)
    assert champion(client(workspace)) == "MAML · seed 2"


def test_an_alias_that_somebody_moved_or_deleted_returns(workspace: Path) -> None:
    for seed, accuracy in ((1, 0.9), (2, 0.8)):
        publish(seed, accuracy)
    mlflow = client(workspace)
    mlflow.set_registered_model_alias(MODEL, "champion", "2")
    update_champion(mlflow, MODEL)
    assert champion(mlflow) == "MAML · seed 1"
    mlflow.delete_registered_model_alias(MODEL, "champion")
    update_champion(mlflow, MODEL)
    assert champion(mlflow) == "MAML · seed 1"


@pytest.mark.parametrize("name", ["ours", "Bob's best", 'the "best"'])
def test_a_registered_model_that_somebody_renamed_keeps_its_champion(workspace: Path, name: str) -> None:
    publish(1, 0.9)
    mlflow = client(workspace)
    mlflow.rename_registered_model(MODEL, name)
    mlflow.delete_registered_model_alias(name, "champion")
    track.main("maml", 1)
    assert champion(mlflow, name) == "MAML · seed 1"


def test_each_algorithm_and_task_has_its_own_registered_model(workspace: Path) -> None:
    publish()
    write(algorithm="fomaml", dataset="glyphs (synthetic)", model="conv")
    track.main("fomaml", 42)
    names = {model.name for model in client(workspace).search_registered_models()}
    assert names == {MODEL, "metaglot-fomaml-glyphs-synthetic-5way-5shot-conv"}


def test_with_corrected_scores_the_model_is_that_of_the_new_run(workspace: Path) -> None:
    publish()
    _, before, _ = whole(client(workspace))
    result = paths.result("maml", 42)
    corrected = read_json(result)
    corrected["accuracy"]["mean"] = 0.5
    write_json(result, corrected)
    track.main("maml", 42)
    run, model, _ = whole(client(workspace))
    assert model.model_id != before.model_id and run.data.metrics["test_accuracy"] == 0.5
    assert champion(client(workspace)) == "MAML · seed 42"


@pytest.mark.slow
def test_what_the_database_and_the_files_lost_of_a_model_is_completed(workspace: Path) -> None:
    publish()
    mlflow = client(workspace)
    _, model, _ = whole(mlflow)
    losses: list[Callable[[], object]] = [
        lambda: mlflow.delete_registered_model(MODEL),
        lambda: mlflow.delete_logged_model_tag(model.model_id, "mlflow.modelVersions"),
        lambda: change(workspace, "DELETE FROM logged_model_metrics"),
        lambda: change(workspace, "DELETE FROM inputs"),
        lambda: change(workspace, "UPDATE logged_models SET status = 1"),
        lambda: (artifacts(model) / "MLmodel").unlink(),
        lambda: (artifacts(model) / "artifacts/run.json").write_bytes(b""),
    ]
    for lose in losses:
        lose()
        track.main("maml", 42)
        run, again, _ = whole(mlflow)
        assert again.model_id == model.model_id and champion(mlflow) == "MAML · seed 42"
        assert {metric.key for metric in again.metrics or []} == set(run.data.metrics)
        assert (artifacts(model) / "artifacts/run.json").read_bytes() == paths.run_record("maml", 42).read_bytes()


def test_a_model_that_somebody_deleted_is_logged_and_registered_again(workspace: Path) -> None:
    publish()
    mlflow = client(workspace)
    _, model, _ = whole(mlflow)
    mlflow.delete_logged_model(model.model_id)
    track.main("maml", 42)
    (again,), (version,) = models(mlflow), versions(mlflow)
    assert again.model_id != model.model_id and version.source == again.artifact_location
    assert champion(mlflow) == "MAML · seed 42"


def test_requests_that_were_sent_twice_leave_one_model_and_one_version(workspace: Path) -> None:
    publish()
    mlflow = client(workspace)
    run, model, version = whole(mlflow)
    mlflow.create_logged_model(run.info.experiment_id, "model", run.info.run_id, model.tags)
    mlflow.create_model_version(MODEL, version.source, run.info.run_id, version.tags)
    change(workspace, "UPDATE runs SET status = 'RUNNING'")
    track.main("maml", 42)
    assert whole(mlflow)[1].model_id == model.model_id


def test_a_file_that_was_not_stored_leaves_the_model_and_the_run_open(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

    write()
    store = LocalArtifactRepository.log_artifacts

    def lose(repository: LocalArtifactRepository, local: str, path: str | None = None) -> None:
        store(repository, local, path)
        for file in Path(repository.artifact_dir).rglob("requirements.txt"):
            file.unlink()

    with monkeypatch.context() as patch:
        patch.setattr(LocalArtifactRepository, "log_artifacts", lose)
        with pytest.raises(UserError, match="MLflow did not keep requirements.txt of the model of MAML · seed 42"):
            track.main("maml", 42)
    ((run,), (model,)) = runs(client(workspace)), models(client(workspace))
    assert (run.info.status, model.status) == ("RUNNING", LoggedModelStatus.PENDING)
    with pytest.raises(MlflowException, match="not found"):
        champion(client(workspace))
    track.main("maml", 42)
    assert whole(client(workspace))[1].model_id == model.model_id


@pytest.mark.slow
def test_a_publication_with_a_model_killed_at_any_moment_is_completed_and_never_doubled(
    workspace: Path, processes: ForkServerContext
) -> None:
    moments, seeds = random.Random(0), range(8 * often(1, 20))
    kills = 0
    for seed in seeds:
        write(seed, 0.5 + seed / 1000)
        kills += killed(processes, workspace, seed, moments.uniform(0.02, 1.5))
        track.main("maml", seed)
    mlflow = client(workspace)
    published = runs(mlflow)
    assert kills > 0
    assert sorted(run.data.params["seed"] for run in published) == sorted(map(str, seeds))
    assert {run.info.status for run in published} == {"FINISHED"}
    assert {len(run.data.metrics) for run in published} == {len(published[0].data.metrics)}
    assert {model.status for model in models(mlflow)} == {LoggedModelStatus.READY}
    assert len(models(mlflow)) == len(versions(mlflow)) == len(seeds)
    assert len({len(list(artifacts(model).rglob("*"))) for model in models(mlflow)}) == 1
    assert champion(mlflow) == f"MAML · seed {seeds[-1]}"
