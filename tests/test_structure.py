"""What depends on what: the packages' imports, and that dvc.yaml and dvc.lock say the same."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import grimp
import pytest
import yaml
from files_read import reads
from params_file import ASGIVEN, ROOT

from metaglot.algorithms.registry import ALGORITHMS

STAGES = ("configure", "download", "preprocess", "train", "evaluate", "track", "report")
GRAPH = grimp.build_graph("metaglot", "stages", include_external_packages=True, cache_dir=None)
OURS = {module for module in GRAPH.modules if module.partition(".")[0] in ("metaglot", "stages")}
PIPELINE: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
LOCK = ROOT / "dvc.lock"


def file(module: str) -> str:
    return module.replace(".", "/") + ".py"


def imported(*modules: str) -> set[str]:
    """The files of these modules and all they import, however indirectly, but for the packages' own."""
    found = {*modules}.union(*(GRAPH.find_upstream_modules(module) for module in modules))
    return {file(module) for module in found & OURS if (ROOT / file(module)).exists()}


def algorithms(*names: str) -> list[str]:
    """The modules that a stage imports by name, at run time."""
    return [ALGORITHMS[name].split(":")[0] for name in names]


def declared(stage: str, algorithm: str) -> set[str]:
    """The Python files that a stage depends on, those in folders included, for one algorithm."""
    deps = [dep.replace("${item.algorithm}", algorithm) for dep in PIPELINE[stage]["deps"]]
    code = [ROOT / dep for dep in deps if dep.startswith(("metaglot/", "stages/"))]
    files = {path for dep in code for path in (dep.rglob("*.py") if dep.is_dir() else [dep])}
    return {str(path.relative_to(ROOT)) for path in files if path.suffix == ".py" and path.name != "__init__.py"}


def depends_on(stage: str, path: str) -> bool:
    """Whether a file is a dependency of a stage, by itself or in a folder, or lies in what the stage itself writes."""
    about = PIPELINE[stage]
    own = [
        next(iter(one)) if isinstance(one, dict) else one
        for k in ("outs", "metrics", "plots")
        for one in about.get(k, [])
    ]
    names = [*about["deps"], *own, *(next(iter(one)) for one in about.get("params", []))]
    filled = {name.replace("${item.algorithm}", "maml").replace("${item.seed}", "42") for name in names}
    return any(path == name or path.startswith(f"{name}/") for name in filled)


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """By stage, the files that are no Python and that it opens to read, of the project or of where it is run."""
    return reads(tmp_path_factory.mktemp("read"), STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_declares_every_other_file_that_it_reads(read: dict[str, set[str]], stage: str) -> None:
    assert {path for path in read[stage] if not depends_on(stage, path)} == set()


def test_the_files_that_stages_read_are_seen(read: dict[str, set[str]]) -> None:
    """Else the test above could not fail."""
    assert "params.yaml" in read["configure"] and "data/splits/train.npz" in read["train"]
    assert {"benchmarks/results.json", "metaglot/report/html/templates/style.css"} <= read["report"]


def importers(package: str) -> set[str]:
    """Our modules that import a package from outside, or a module of ours."""
    return GRAPH.find_modules_that_directly_import(package)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_declares_the_code_that_it_imports_and_no_more(stage: str, algorithm: str) -> None:
    """What `train` and `evaluate` import for one algorithm and what others share with it, but for the others' files."""
    named = algorithms(*ALGORITHMS) if stage in ("configure", "train", "evaluate") else []
    others = {file(module) for module in algorithms(*ALGORITHMS)} - {file(*algorithms(algorithm))}
    code = imported(f"stages.{stage}", *named) - (others if stage != "configure" else set())
    assert {"undeclared": code - declared(stage, algorithm), "superfluous": declared(stage, algorithm) - code} == {
        "undeclared": set(),
        "superfluous": set(),
    }


def test_every_stage_is_run_as_a_module_and_described() -> None:
    assert set(PIPELINE) == set(STAGES)
    for stage, about in PIPELINE.items():
        assert about["cmd"].startswith(f"python -m stages.{stage}") and about["desc"]


def test_packages_hold_no_code_that_a_result_could_depend_on() -> None:
    """Their `__init__.py` are nobody's dependency."""
    inits = {path for package in ("metaglot", "stages") for path in (ROOT / package).rglob("__init__.py")}
    for path in inits - {ROOT / "stages/__init__.py"}:  # which refuses a wrong Python, and no more
        code = path.read_text().split('"""')[2].strip()
        assert re.fullmatch(r'(__version__ = "[0-9.]+")?', code), path


def test_stages_never_import_each_other() -> None:
    for stage in STAGES:
        assert importers(f"stages.{stage}") == set()


def test_the_library_imports_no_stage() -> None:
    assert not {
        (importer, module)
        for module in OURS
        if module.startswith("stages")
        for importer in importers(module)
        if importer.startswith("metaglot")
    }


def test_only_configure_reads_params_and_the_table_of_algorithms() -> None:
    for module in ("metaglot.config.params", "metaglot.algorithms.registry"):
        readers = GRAPH.find_downstream_modules(module)
        assert {reader for reader in readers if reader.startswith("stages")} == {"stages.configure"}
    text = {stage: (ROOT / file(f"stages.{stage}")).read_text() for stage in STAGES if stage != "configure"}
    assert not [stage for stage, code in text.items() if re.search(r"[\"']params\.yaml[\"']", code)]
    assert [stage for stage in STAGES if "params" in PIPELINE[stage]] == ["configure"]


def test_only_track_imports_mlflow() -> None:
    assert importers("mlflow") == {"stages.track"}


def test_only_one_module_imports_learn2learn() -> None:
    assert importers("learn2learn") == {"metaglot.training.learn2learn_engine"}


def test_every_algorithm_has_a_file_of_its_own_name_that_imports_no_other() -> None:
    for name, place in ALGORITHMS.items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name) and place.startswith(f"metaglot.algorithms.{name}:")
        files = {path for path in imported(*algorithms(name)) if "/algorithms/" in path}
        assert files == {f"metaglot/algorithms/{name}.py"}


def test_no_stage_depends_on_what_it_must_not_know() -> None:
    """Training never sees the test split, and no score depends on how long a training took."""
    assert not [dep for dep in PIPELINE["train"]["deps"] if re.match("data/(splits/test|raw|results|scores)", dep)]
    assert not [dep for dep in PIPELINE["evaluate"]["deps"] if "run.json" in dep or "history" in dep]
    assert not {"outs", "metrics", "plots"} & set(PIPELINE["track"])


def md5(path: Path) -> str:
    """DVC's hash of a file, or of a folder."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
        entries = [{"md5": md5(file), "relpath": str(file.relative_to(path))} for file in files]
        return hashlib.md5(json.dumps(entries, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def dependencies(stage: str) -> set[str]:
    """What a stage depends on, given its full name (`train@maml-42`)."""
    name, _, run = stage.partition("@")
    algorithm, _, seed = run.rpartition("-")
    filled = (dep.replace("${item.algorithm}", algorithm) for dep in PIPELINE[name]["deps"])
    return {dep.replace("${item.seed}", seed) for dep in filled}


@pytest.mark.skipif(not LOCK.exists(), reason="nothing has been run yet: there is no dvc.lock")
def test_what_is_committed_is_what_the_code_says() -> None:
    """Every result that dvc.lock records was computed by the code and the params that lie beside it."""
    locked = yaml.safe_load(LOCK.read_text())["stages"]
    runs = [f"{algorithm}-{seed}" for algorithm in ASGIVEN["algorithms"] for seed in ASGIVEN["seeds"]]
    each = {f"{stage}@{run}" for stage in ("train", "evaluate", "track") for run in runs}
    assert {"configure", "download", "preprocess", "report"} | each <= set(locked)
    assert locked["configure"]["params"]["params.yaml"] == ASGIVEN
    for stage, about in locked.items():
        found = {dep["path"]: dep["md5"] for dep in about["deps"]}
        assert set(found) == dependencies(stage), stage
        kept = {out["path"]: out["md5"] for out in about.get("outs", []) if (ROOT / out["path"]).exists()}
        code = {path: found[path] for path in found if not path.startswith("data/")}
        assert {path for path, locked_as in (code | kept).items() if md5(ROOT / path) != locked_as} == set(), stage


def test_the_committed_trainings_held_less_than_a_gigabyte_and_a_half() -> None:
    records = [json.loads(path.read_text()) for path in (ROOT / "data/models").glob("*/run.json")]
    assert len(records) == len(ASGIVEN["algorithms"]) * len(ASGIVEN["seeds"])
    assert all(record["peak_memory_mb"] < 1500 for record in records)
