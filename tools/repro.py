"""Run the whole comparison: check params.yaml, run the stages that are out of date, and print the results.

    make repro
    make repro WORKERS=2        several trainings at a time, one thread each; WORKERS=auto: one a core
    make repro RAY=HOST:PORT    the trainings on a Ray cluster

If no source of Omniglot answers, a short version of the pipeline runs on synthetic glyphs, in a copy of the workspace
under .metaglot/. The workspace itself does not change.
"""

import shutil
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from ruamel.yaml import YAML

from tools.clone import WORKSPACE, clone, git, run_module, run_or_exit, take_data_from_cache
from tools.params_file import PARAMS

RAW = "data/raw"  # the data.path of a data set that is downloaded or made
COPY = Path(".metaglot/glyphs")
CACHE = Path(".metaglot/glyphs-cache")  # is kept when the copy is made again, so that the second time takes seconds
ITERATIONS = 500
NO_SOURCE = 3  # the exit code of `download --check` if no source answers


def main(arguments: list[str]) -> None:
    parser = ArgumentParser("tools.repro", description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--workers", default="", help="how many trainings at a time, or auto")
    parser.add_argument("--ray", default="", help="the address of a Ray cluster, HOST:PORT")
    options = parser.parse_args(arguments)
    run_or_exit("stages.configure", "--check")
    if data_is_available():
        train_in_parallel(options)
        reproduce(WORKSPACE)
    else:
        run_on_glyphs()


def data_is_available() -> bool:
    """Whether the data is here or a source answers. If it answers with something wrong, the download stage fails.

    A folder of images, which `data.path` names, needs no source.
    """
    data = YAML().load(PARAMS)["data"]
    if data.get("path", RAW) != RAW:
        return True
    take_data_from_cache()
    return run_module("stages.download", "--check", "--source", data["source"]).returncode != NO_SOURCE


def train_in_parallel(options: Namespace) -> None:
    """Train and test first whatever is out of date on workers, if there are to be any."""
    if options.ray:
        run_or_exit("cluster", "run", "--ray", options.ray)
    elif options.workers:
        run_or_exit("cluster", "run", "--workers", options.workers)


def reproduce(folder: Path) -> None:
    run_or_exit("dvc", "repro", folder=folder)
    run_or_exit("stages.report", "--show", folder=folder)


def run_on_glyphs() -> None:
    print_banner("These are no results on Omniglot: the pipeline runs on synthetic glyphs, with fewer iterations.")
    copy_workspace()
    write_quick_params(COPY / PARAMS)
    reproduce(COPY)
    print_banner(f"The table above is of synthetic glyphs. Its report: {COPY}/data/report/index.html")


def print_banner(line: str) -> None:
    advice = "Set OMNIGLOT_MIRROR to a folder or address with Omniglot's archives, or connect, and try again."
    Console().print(Panel(f"{line}\n{advice}", title="OMNIGLOT COULD NOT BE REACHED", style="bold yellow"))


def copy_workspace() -> None:
    """Clone the repository and copy the files that git knows or would add, as they are now."""
    clone(COPY, CACHE)
    for name in filter(None, git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")):
        if Path(name).is_file():
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(name, COPY / name)
        else:
            (COPY / name).unlink(missing_ok=True)


def write_quick_params(params: Path) -> None:
    """Set glyphs and at most 500 iterations, and leave everything else as the user has it."""
    yaml = YAML()
    changed = yaml.load(params)
    changed["data"]["source"] = "glyphs"
    for section in [changed["train"], *(changed.get("settings") or {}).values()]:
        if section and section.get("iterations") is not None:
            section["iterations"] = min(section["iterations"], ITERATIONS)
    yaml.dump(changed, params)


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # no print fails for its letters
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit("\nerror: interrupted; make repro continues from here")
