"""How long DVC takes to rewrite dvc.lock after a training, by this dvc.yaml and by an older one.

python -m benchmarks.dvc_lock --against REVISION
"""

import subprocess
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from dvc.utils.serialize import modify_yaml

REPEATS = 3


def make_lock(pipeline: dict[str, Any], trainings: int) -> dict[str, Any]:
    """The content of a dvc.lock with that many trainings."""
    train = pipeline["stages"]["train"]
    outs = train["outs"] + train["metrics"] + train["plots"]
    written = [out if isinstance(out, str) else next(iter(out)) for out in outs]
    stages = {}
    for seed in range(trainings):
        stage: dict[str, Any] = {"cmd": f"python -m stages.train maml --seed {seed}"}
        for kind, paths in (("deps", train["deps"]), ("outs", written)):
            expanded = [path.replace("${item.algorithm}", "maml").replace("${item.seed}", str(seed)) for path in paths]
            stage[kind] = [{"path": path, "hash": "md5", "md5": "0" * 32, "size": 1} for path in expanded]
        stages[f"train@maml-{seed}"] = stage
    return {"schema": "2.0", "stages": stages}


def seconds_to_rewrite(path: Path, seed: int) -> float:
    """Change one training's entry as DVC does."""
    start = time.perf_counter()
    with modify_yaml(path) as content:
        content["stages"][f"train@maml-{seed}"]["deps"][0]["md5"] = "1" * 32
    return time.perf_counter() - start


def main(
    against: Annotated[str, typer.Option(help="the older git revision")],
    trainings: Annotated[int, typer.Option(help="number of trainings in dvc.lock")] = 300,
) -> None:
    """Compare the time to rewrite dvc.lock with this dvc.yaml and with an older one."""
    older = subprocess.run(["git", "show", f"{against}:dvc.yaml"], check=True, capture_output=True).stdout
    texts = {against: older, "this": Path("dvc.yaml").read_bytes()}
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder) / name.replace("/", "_") for name in texts}
        for name, path in files.items():
            path.write_text(yaml.safe_dump(make_lock(yaml.safe_load(texts[name]), trainings), sort_keys=False))
        times = [{name: seconds_to_rewrite(path, seed) for name, path in files.items()} for seed in range(REPEATS)]
    for name in texts:
        print(f"{name}: {min(row[name] for row in times):.1f} s for {trainings} trainings")
    print(f"ratio: {min(row['this'] / row[against] for row in times):.2f}")


if __name__ == "__main__":
    typer.run(main)
