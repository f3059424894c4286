"""The whole pipeline under DVC, in a temporary git repository, on a tiny task.

The tests share one repository and stand in the order of a session: what each one runs is said by its fixture.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

import add_an_algorithm
import pytest
import yaml
from params_file import TINY, changed
from queue_workers import enqueue, enqueue_again, kill_a_worker, start, until_done
from repository import MIRROR, Repository, ran

pytestmark = pytest.mark.slow

RUNS = ["fomaml-42", "maml-42"]


def stages(name: str, *runs: str) -> set[str]:
    return {f"{name}@{run}" for run in runs or RUNS}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """After `dvc repro`, committed."""
    made = Repository(tmp_path_factory.mktemp("repository"), changed(TINY))
    printed = made.dvc("repro")
    each = stages("train") | stages("evaluate") | stages("track")
    assert ran(printed) == {"configure", "download", "preprocess", "report"} | each
    made.commit("Run everything")
    return made


def test_repro_leaves_every_file_that_was_promised(repository: Repository) -> None:
    assert set(repository.locked()) == {
        "data/config",
        "data/raw",
        *(f"data/splits/{name}" for name in ("train.npz", "validation.npz", "test.npz", "split.json")),
        *(f"data/models/{run}/{name}" for run in RUNS for name in ("weights.safetensors", "run.json")),
        *(f"data/models/{run}/{name}" for run in RUNS for name in ("history.csv", "alignment.csv")),
        *(f"data/models/{run}/adaptation.json" for run in RUNS),
        *(f"data/results/{run}.json" for run in RUNS),
        *(f"data/scores/{run}.npz" for run in RUNS),
        *(f"data/report/{name}" for name in ("comparison.json", "comparison.md", "index.html", "draw.html")),
        *(f"data/report/{name}.csv" for name in ("curves", "accuracy", "by_step")),
    }
    assert all((repository.folder / path).exists() for path in repository.locked())


def test_git_keeps_the_small_files_and_no_picture_and_dvc_writes_no_gitignore(repository: Repository) -> None:
    kept = repository.git("ls-files", "data").split()
    assert {path for path in kept if path.endswith(".gitignore")} == {"data/.gitignore"}
    assert {Path(path).suffix for path in kept if path.startswith("data/")} <= {"", ".json", ".csv", ".yaml", ".md"}
    assert "data/config/maml/evaluate.yaml" in kept and "data/results/maml-42.json" in kept


def test_a_second_repro_runs_no_stage(repository: Repository) -> None:
    assert "Data and pipelines are up to date." in repository.dvc("repro")
    assert repository.status() == []


def test_dvc_shows_what_there_is(repository: Repository) -> None:
    listed = repository.dvc("stage", "list")
    assert "Meta-train maml from seed 42" in listed and "Outputs" not in listed
    scores = repository.dvc("metrics", "show", "data/results/maml-42.json", "data/results/fomaml-42.json")
    assert "accuracy.mean" in scores
    repository.dvc("plots", "show", "--out", ".dvc/tmp/plots")
    page = (repository.folder / ".dvc/tmp/plots/index.html").read_text()
    for title in ("Test accuracy", "Validation accuracy", "Training loss", "Test accuracy by adaptation step"):
        assert title in page
    assert "MAML · seed 42" in page or r"MAML \u00b7 seed 42" in page


@pytest.mark.parametrize("run", RUNS)
def test_result_report_dvc_and_mlflow_say_the_same_of_a_run(repository: Repository, run: str) -> None:
    """To the last digit, but for the page, which rounds."""
    data = {path: json.loads(content) for path, content in repository.bytes("**/*.json").items()}
    result, record = data[f"results/{run}.json"], data[f"models/{run}/run.json"]
    numbers = {
        "test_accuracy": result["accuracy"]["mean"],
        "test_loss": result["loss"]["mean"],
        "test_inductive_accuracy": result["inductive"]["accuracy"]["mean"],
        "train_seconds": record["train_seconds"],
        "validation_seconds": record["validation_seconds"],
    }
    shown = json.loads(repository.run("dvc", "metrics", "show", "--json").stdout)[""]["data"]
    scores, times = (shown[f"data/{path}"]["data"] for path in (f"results/{run}.json", f"models/{run}/run.json"))
    means = [scores["accuracy"]["mean"], scores["loss"]["mean"], scores["inductive"]["accuracy"]["mean"]]
    assert [*means, times["train_seconds"], times["validation_seconds"]] == list(numbers.values())

    (row,) = (row for row in data["report/comparison.json"]["runs"] if f"{row['algorithm']}-{row['seed']}" == run)
    keys = ("accuracy", "loss", "inductive_accuracy", "train_seconds", "validation_seconds")
    assert [row[key] for key in keys] == list(numbers.values())
    assert row["accuracy_ci95_by_character"] == result["accuracy"]["ci95_by_character"]

    metrics = repository.metrics(f"{record['label']} · seed {record['seed']}")
    assert {name: metrics[name] for name in numbers} == numbers

    low, high = (100 * bound for bound in result["accuracy"]["ci95_by_character"])
    page = (repository.folder / "data/report/index.html").read_text()
    cells = re.search(rf'<tr role="row"><th[^>]*>{row["run"]}</th><td[^>]*>(.*?)</tr>', page, re.DOTALL)
    assert cells is not None
    assert re.split("</td>(?:<td[^>]*>)?", cells[1])[:5] == [
        f"{numbers['test_accuracy']:.2%} [{low:.2f}, {high:.2f}]",
        f"{numbers['test_inductive_accuracy']:.2%}",
        f"{numbers['test_loss']:.4f}",
        f"{numbers['train_seconds']:,.1f} s",
        f"{numbers['validation_seconds']:,.1f} s",
    ]


@pytest.fixture(scope="module")
def first_order(repository: Repository) -> str:
    """What an experiment in a temporary copy says that asks for a first-order MAML."""
    return repository.dvc("exp", "run", "--temp", "--name", "first-order", "-S", "first_order=true")


def test_another_first_order_retrains_maml_alone(first_order: str) -> None:
    assert ran(first_order) == {"configure", "train@maml-42", "evaluate@maml-42", "track@maml-42", "report"}


def test_an_experiment_leaves_the_workspace_alone_and_is_published(repository: Repository, first_order: str) -> None:
    assert repository.status() == []
    assert "MAML (first_order=true) · seed 42" in repository.published()


def test_going_there_and_back_in_the_workspace_trains_nothing(repository: Repository, first_order: str) -> None:
    there = repository.dvc("exp", "run", "-S", "first_order=true")
    assert not {stage for stage in ran(there) if stage.startswith(("train", "evaluate", "download", "preprocess"))}
    assert [line[:3] for line in repository.status() if "params.yaml" in line] == [" M "]
    weights = repository.bytes("models/*/weights.safetensors")
    assert len(weights) == 2 and len(set(weights.values())) == 1
    repository.git("restore", ".")
    repository.dvc("checkout")
    assert "Data and pipelines are up to date." in repository.dvc("repro")
    assert len(set(repository.bytes("models/*/weights.safetensors").values())) == 2


@pytest.fixture(scope="module")
def queued(repository: Repository) -> Callable[[str], str]:
    """The logs of two experiments, another seed and more test tasks, that two workers ran at once; one was killed."""
    before = repository.published()
    seeds = ("seeds=[42,43]",)
    enqueue(repository, "seeds", *seeds)
    enqueue(repository, "tasks", "evaluate.tasks=60")
    start(repository, 2)
    assert kill_a_worker(repository) == "seeds"
    until_done(repository, {"tasks"})
    enqueue_again(repository, "seeds", *seeds)
    start(repository, 1)
    until_done(repository, {"seeds", "tasks"})
    assert len(set(repository.published())) > len(set(before))
    return lambda name: repository.dvc("queue", "logs", name)


def test_a_new_seed_trains_only_itself(queued: Callable[[str], str]) -> None:
    new = [run.replace("42", "43") for run in RUNS]
    expected = stages("train", *new) | stages("evaluate", *new) | stages("track", *new)
    assert ran(queued("seeds")) == {"configure", "report"} | expected


def test_an_experiment_whose_worker_was_killed_goes_on_once_it_is_queued_again(queued: Callable[[str], str]) -> None:
    assert "MAML seed 43: resuming from iteration " in queued("seeds")


def test_other_test_tasks_train_nothing(queued: Callable[[str], str]) -> None:
    assert ran(queued("tasks")) == {"configure", "report"} | stages("evaluate") | stages("track")


def test_workers_at_once_publish_every_run_once(repository: Repository, queued: Callable[[str], str]) -> None:
    published = repository.published()
    assert published.count("MAML · seed 43") == published.count("FOMAML · seed 43") == 1
    # Scored on 40 tasks, and on 60.
    assert published.count("MAML · seed 42") == published.count("FOMAML · seed 42") == 2
    assert repository.status() == []


def test_a_fresh_clone_gets_its_runs_into_mlflow_back(repository: Repository, tmp_path: Path) -> None:
    repository.git("clone", "-q", ".", str(tmp_path / "clone"))
    clone = Repository.at(tmp_path / "clone")
    assert ran(clone.dvc("repro", "--single-item", "--force", "track")) == stages("track")
    assert clone.published() == ["FOMAML · seed 42", "MAML · seed 42"]
    assert clone.status() == []


def test_a_name_that_is_no_algorithm_reaches_no_command(repository: Repository) -> None:
    done = repository.run("dvc", "exp", "run", "--temp", "-S", "algorithms=['a; touch pwned #']")
    printed = done.stdout + done.stderr
    assert done.returncode != 0 and ran(printed) == {"configure"}
    assert "error: params.yaml: algorithms.0: got 'a; touch pwned #'; takes maml or fomaml or " in printed
    assert not list(repository.folder.rglob("pwned")) and repository.status() == []


def test_an_experiment_that_is_run_in_a_clone_is_recorded(repository: Repository) -> None:
    declared = {"title": "Wide", "question": "Is it wide?", "settings": {"report.margin": 0.02, "algorithms": ["maml"]}}
    (repository.folder / "experiments/experiments.yaml").write_text(yaml.safe_dump({"wide": declared}))
    printed = repository.succeed("python", "-m", "experiments", "run", "wide")
    assert ran(printed) == {"configure", "report"}  # the rest is in the cache, also the data
    record = repository.folder / "docs/findings/wide"
    about = yaml.safe_load((record / "about.json").read_text())
    assert about == {"recorded": [42], "asked": [42], "code": repository.git("rev-parse", "HEAD").strip()}
    assert yaml.safe_load((record / "comparison.json").read_text())["margin"] == 0.02
    for kind, path in (("runs", "models/maml-42/run.json"), ("results", "results/maml-42.json")):
        assert (record / kind / "maml-42.json").read_bytes() == (repository.folder / "data" / path).read_bytes()
    assert {line[3:].split("/")[0] for line in repository.status()} == {"docs", "experiments"}
    repository.git("clean", "-dfq", "docs")
    repository.git("restore", ".")


def test_who_follows_the_page_adds_an_algorithm_and_trains_it_alone(repository: Repository) -> None:
    add_an_algorithm.write(repository.folder)
    printed = [repository.succeed("bash", "-c", command) for command in add_an_algorithm.COMMANDS]
    (tested,) = (output for output in printed if " passed in " in output)
    assert "9 passed" in tested
    new = {f"{stage}@zeroing_trick-42" for stage in ("train", "evaluate", "track")}
    assert [ran(output) for output in printed if ran(output)] == [{"configure", "report"} | new]
    assert "data/models/zeroing_trick-42/weights.safetensors" in repository.locked("zeroing")
    assert "Zeroing trick · seed 42" in repository.published()
    repository.git("reset", "-q", "--hard")


@pytest.mark.skipif(not MIRROR, reason="OMNIGLOT_MIRROR is not set")
def test_the_real_thing_in_short_learns_omniglot(tmp_path: Path) -> None:
    short = {"algorithms": ["maml"], "train.iterations": 200, "train.validate_every": 100, "evaluate.tasks": 300}
    repository = Repository(tmp_path, changed(short))
    repository.dvc("repro")
    result = yaml.safe_load((tmp_path / "data/results/maml-42.json").read_text())
    assert result["dataset"] == "omniglot" and 0.80 < result["accuracy"]["mean"] < 0.97
