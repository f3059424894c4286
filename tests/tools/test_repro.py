"""`make repro` on a toy pipeline: when it runs on glyphs, and that the workspace does not change then."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from workshop import ROOT

from metaglot.core.common.atomic_files import read_yaml
from tools.repro import write_quick_params

FILES = {
    "params.yaml": """
data: {source: omniglot}
train: {iterations: 9000}
settings: {anil: {iterations: 20}}
""",
    "dvc.yaml": """
stages:
  download:
    cmd: python -m stages.download
    params: [data.source]
    outs: [data/raw/source.json]
  report:
    cmd: python -m stages.report
    params: [train, settings]
    deps: [data/raw/source.json]
    outs: [data/report/index.html]
""",
    "cluster/__main__.py": "import sys; print(*sys.argv[1:], flush=True)",
    ".gitignore": ".metaglot\n__pycache__/\n/data/\n",
    ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
    ".dvc/config": "[core]\n    analytics = false\n",
    "stages/configure.py": "import sys; sys.exit('error: seeds: no' if 'seeds' in open('params.yaml').read() else 0)",
    "stages/download.py": """
import os, pathlib, sys
raw, answer = pathlib.Path("data/raw/source.json"), os.environ["ANSWER"]
if "--check" in sys.argv:
    sys.exit(0 if raw.exists() else {"here": 0, "wrong": 1, "nobody": 3}[answer])
source = "glyphs" if "glyphs" in open("params.yaml").read() else "omniglot"
if source == "omniglot" and answer != "here":
    sys.exit("error: " + answer)
raw.parent.mkdir(parents=True, exist_ok=True)
raw.write_text(source)
""",
    "stages/report.py": """
import os, pathlib, sys
page = pathlib.Path("data/report/index.html")
if "--show" in sys.argv:
    sys.exit(print("table of", page.read_text()))
page.parent.mkdir(exist_ok=True)
page.write_text(" ".join([
    pathlib.Path("data/raw/source.json").read_text(),
    pathlib.Path("params.yaml").read_text(),
    os.environ["DVC_ROOT"], os.environ.get("MLFLOW_TRACKING_URI", "no server"), str(pathlib.Path("new.py").exists())
]))
""",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return make_workspace(tmp_path)


def make_workspace(parent: Path) -> Path:
    folder = parent / "a workspace"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "tools").mkdir()
    for name in ("tools/repro.py", "tools/clone.py", "tools/params_file.py"):
        (folder / name).write_text((ROOT / name).read_text())
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "a toy")
    return folder


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def repro(folder: Path, answer: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run tools.repro where the source of the data answers like this: here, wrong or nobody."""
    return subprocess.run(
        [sys.executable, "-m", "tools.repro", *arguments],
        cwd=folder,
        env=os.environ | {"ANSWER": answer, "MLFLOW_TRACKING_URI": "a server", "DVC_ROOT": "elsewhere"},
        capture_output=True,
        text=True,
    )


def test_a_source_that_answers_is_used_and_is_not_needed_for_data_in_place_or_in_the_cache(workspace: Path) -> None:
    done = repro(workspace, "here")
    assert done.returncode == 0
    assert "table of omniglot" in done.stdout and "a server" in done.stdout
    assert "COULD NOT BE REACHED" not in done.stdout
    assert "table of omniglot" in repro(workspace, "nobody").stdout
    (workspace / "data/raw/source.json").unlink()
    assert "table of omniglot" in repro(workspace, "nobody").stdout


@pytest.mark.parametrize(
    "options, command",
    [(("--workers", "2", "--ray", ""), "run --workers 2"), (("--workers", "2", "--ray", "a:1"), "run --ray a:1")],
)
def test_workers_or_a_cluster_train_before_the_other_stages(
    workspace: Path, options: tuple[str, ...], command: str
) -> None:
    workers, stages = repro(workspace, "here", *options).stdout.split("Running stage 'download'")
    assert workers.strip() == command and "table of omniglot" in stages


def test_an_argument_that_does_not_exist_runs_nothing(workspace: Path) -> None:
    done = repro(workspace, "here", "workers=2")
    assert done.returncode == 2 and "error" in done.stderr and not (workspace / "data").exists()


def test_a_mistake_in_params_ends_it_before_any_stage(workspace: Path) -> None:
    (workspace / "params.yaml").write_text("seeds: 1\n")
    done = repro(workspace, "here")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "error: seeds: no\n")
    assert not (workspace / "data").exists()


def test_a_wrong_answer_is_an_error_and_does_not_run_on_glyphs(workspace: Path) -> None:
    done = repro(workspace, "wrong")
    assert done.returncode != 0 and "error: wrong" in done.stderr
    assert "COULD NOT BE REACHED" not in done.stdout and not (workspace / ".metaglot").exists()


def test_a_folder_of_pictures_needs_no_source(workspace: Path) -> None:
    (workspace / "params.yaml").write_text(FILES["params.yaml"].replace("omniglot", "omniglot, path: /birds"))
    done = repro(workspace, "nobody")
    assert "error: nobody" in done.stderr and "COULD NOT BE REACHED" not in done.stdout  # the toy downloads anyway


@pytest.fixture(scope="module")
def on_glyphs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A workspace after a run without any source, with changes that are not committed; and what the run printed."""
    folder = make_workspace(tmp_path_factory.mktemp("glyphs"))
    (folder / "new.py").touch()
    (folder / "params.yaml").write_text(FILES["params.yaml"].replace("9000", "8000"))
    before = git(folder, "status", "--porcelain"), git(folder, "diff")
    done = repro(folder, "nobody")
    assert done.returncode == 0, done.stderr
    assert (git(folder, "status", "--porcelain"), git(folder, "diff")) == before
    return folder, done.stdout


def test_without_any_source_the_pipeline_runs_on_glyphs_in_a_copy(on_glyphs: tuple[Path, str]) -> None:
    folder, printed = on_glyphs
    assert not [path for path in folder.glob("data/**/*") if path.is_file()]
    _, table, where = printed.split("COULD NOT BE REACHED")
    assert "table of glyphs" in table and ".metaglot/glyphs/data/report/index.html" in where
    assert "no server" in table and str(folder / ".metaglot/glyphs") in table


def test_on_glyphs_there_are_at_most_500_iterations_and_other_changes_are_kept(on_glyphs: tuple[Path, str]) -> None:
    page = (on_glyphs[0] / ".metaglot/glyphs/data/report/index.html").read_text()
    assert "iterations: 500" in page and "iterations: 20" in page and page.endswith("True")


def test_an_algorithm_that_leaves_the_iterations_to_train_is_left_as_it_is(tmp_path: Path) -> None:
    params = tmp_path / "params.yaml"
    params.write_text("data: {source: omniglot}\ntrain: {iterations: 9000}\nsettings: {maml: {iterations: null}}\n")
    write_quick_params(params)
    changed = read_yaml(params)
    assert (changed["train"], changed["settings"]) == ({"iterations": 500}, {"maml": {"iterations": None}})


def test_a_second_run_on_glyphs_runs_no_stage(on_glyphs: tuple[Path, str]) -> None:
    folder, printed = on_glyphs
    assert "Running stage 'report'" in printed
    again = repro(folder, "nobody")
    assert again.returncode == 0 and "Running stage" not in again.stdout
