"""dvc.yaml against what the stages import and read; dvc.lock against the files that are committed with it.

The order of imports between packages is in pyproject.toml, and `make lint` checks it.
"""

import hashlib
import json
import re
from functools import reduce
from pathlib import Path
from typing import Any

import grimp
import pytest
import yaml
from files_read import reads
from params_file import ROOT

from metaglot.algorithms.registry import ALGORITHMS

GRAPH = grimp.build_graph("metaglot", "stages", cache_dir=None)
PIPELINE: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
STAGES = ("configure", "download", "preprocess", "train", "evaluate", "track", "report")


def filled(names: list[str], algorithm: str = "maml", seed: str = "42") -> set[str]:
    values = {"${item.algorithm}": algorithm, "${item.seed}": seed, "${data.path}": "data/raw"}
    values["${evaluate.test_split}"] = "data/splits/test.npz"
    return {reduce(lambda text, key: text.replace(key, values[key]), values, name) for name in names}


def covers(dep: str, path: str) -> bool:
    return path == dep or path.startswith(f"{dep}/")


def imported(stage: str, algorithm: str) -> set[str]:
    """The files that a stage imports, also by name at run time, but for the other algorithms' own."""
    places = ALGORITHMS if stage in ("configure", "train", "evaluate") else {}
    named = [place.split(":")[0] for name, place in places.items() if stage == "configure" or name == algorithm]
    modules = {f"stages.{stage}", *named}
    upstream = modules.union(*(GRAPH.find_upstream_modules(module) for module in modules))
    files = {module.replace(".", "/") + ".py" for module in upstream}
    return {file for file in files if (ROOT / file).exists()}  # no __init__.py: those hold no code


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_declares_the_packages_that_it_imports_and_no_others(stage: str, algorithm: str) -> None:
    code = [dep for dep in filled(PIPELINE[stage]["deps"], algorithm) if dep.startswith(("metaglot", "stages/"))]
    used = imported(stage, algorithm)
    assert {
        "undeclared": {file for file in used if not any(covers(dep, file) for dep in code)},
        "superfluous": {dep for dep in code if not any(covers(dep, file) for file in used)},
    } == {"undeclared": set(), "superfluous": set()}


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """By stage, the files other than Python that it reads, in the project or where it runs."""
    return reads(tmp_path_factory.mktemp("read"), STAGES)


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_declares_every_other_file_that_it_reads(read: dict[str, set[str]], stage: str) -> None:
    about = PIPELINE[stage]
    written = [out if isinstance(out, str) else next(iter(out)) for out in outputs(about)]
    declared = filled(about["deps"] + written)
    if stage == "track":  # a model is published once, with its weights, if they are here, and the code of that time
        declared |= {f"data/models/maml-42/{name}" for name in ("weights.safetensors", "adaptation.json")} | {
            "metaglot"
        }
    assert {path for path in read[stage] if not any(covers(name, path) for name in declared)} == set()


def outputs(about: dict[str, Any]) -> list[Any]:
    return [out for kind in ("outs", "metrics", "plots") for out in about.get(kind, [])]


@pytest.mark.slow
def test_the_files_that_stages_read_are_seen(read: dict[str, set[str]]) -> None:
    """Otherwise the test above could not fail."""
    assert "params.yaml" in read["configure"] and "data/splits/train.npz" in read["train"]
    assert {"benchmarks/results.json", "metaglot/report/html/templates/style.css"} <= read["report"]


def test_every_stage_is_run_as_a_module_and_described() -> None:
    assert set(PIPELINE) == set(STAGES)
    for stage, about in PIPELINE.items():
        assert about["cmd"].startswith(f"python -m stages.{stage}") and about["desc"]


def test_dvc_yaml_is_short_and_a_stage_has_about_ten_dependencies() -> None:
    assert len((ROOT / "dvc.yaml").read_text().splitlines()) < 150
    assert max(len(about["deps"]) for about in PIPELINE.values()) <= 12


def test_packages_hold_no_code_that_a_result_could_depend_on() -> None:
    """Their `__init__.py` are not always a dependency. stages/__init__.py refuses a wrong Python, and no more."""
    inits = {path for package in ("metaglot", "stages") for path in (ROOT / package).rglob("__init__.py")}
    for path in inits - {ROOT / "stages/__init__.py"}:
        code = path.read_text().split('"""')[2].strip()
        assert re.fullmatch(r'(__version__ = "[0-9.]+")?', code), path


def test_every_algorithm_has_a_file_of_its_own_name() -> None:
    for name, place in ALGORITHMS.items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name) and place.startswith(f"metaglot.algorithms.{name}:")


def test_no_stage_depends_on_what_it_must_not_know() -> None:
    """Training never sees the test split, and no score depends on how long a training took."""
    assert not [dep for dep in PIPELINE["train"]["deps"] if re.match("data/(splits/test|raw|results|scores)", dep)]
    assert not [dep for dep in PIPELINE["evaluate"]["deps"] if "run.json" in dep or "history" in dep]
    assert not {"outs", "metrics", "plots"} & set(PIPELINE["track"])


def md5(path: Path) -> str:
    """DVC's hash of a file or of a folder."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        entries = [{"md5": md5(file), "relpath": str(file.relative_to(path))} for file in files]
        return hashlib.md5(json.dumps(entries, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def test_what_is_committed_is_what_the_code_says(committed: Path) -> None:
    """Every result in dvc.lock was computed by the code and the params that are committed with it."""
    locked = yaml.safe_load((committed / "dvc.lock").read_text())["stages"]
    params = yaml.safe_load((committed / "params.yaml").read_text())
    runs = [f"{algorithm}-{seed}" for algorithm in params["algorithms"] for seed in params["seeds"]]
    each = {f"{stage}@{run}" for stage in ("train", "evaluate", "track") for run in runs}
    assert {"configure", "download", "preprocess", "report"} | each <= set(locked)
    for stage, about in locked.items():
        name, _, run = stage.partition("@")
        algorithm, _, seed = run.rpartition("-")
        hashes = {dep["path"]: dep["md5"] for dep in about["deps"]}
        assert set(hashes) == filled(PIPELINE[name]["deps"], algorithm, seed), stage
        kept = {out["path"]: out["md5"] for out in about.get("outs", []) if (committed / out["path"]).is_file()}
        code = {path: hashes[path] for path in hashes if not path.startswith("data/")}
        assert {path for path, locked_as in (code | kept).items() if md5(committed / path) != locked_as} == set(), stage


def test_the_committed_trainings_held_less_than_a_gigabyte_and_a_half(committed: Path) -> None:
    records = [json.loads(path.read_text()) for path in (committed / "data/models").glob("*/run.json")]
    assert records and all(record["peak_memory_mb"] < 1500 for record in records)
