"""draw.html: one file that opens from disk and asks for nothing: scripts, weights and glyphs are in it."""

import json
from pathlib import Path
from typing import Any

from metaglot.report.draw_page.bundle import bundle
from metaglot.report.draw_page.networks import Weights, feature_sizes, left_out, network_data
from metaglot.report.html.environment import script_hash, template_environment
from metaglot.report.load_runs import LoadedRun

HERE = Path(__file__).parent
GLYPHS = HERE / "glyphs.json"


def render_draw_page(runs: list[LoadedRun], networks: list[tuple[LoadedRun, Weights]]) -> str:
    """The page. runs: all of the report. networks: those of them that the page computes."""
    environment = template_environment(HERE)
    data, script = page_data(runs, networks), "\n" + bundle("page.js")
    return environment.get_template("page.html").render(
        data=json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
        script=script,
        script_hash=script_hash(script),
        style=(HERE / "page.css").read_text(),
        names=" and ".join(run.result.label for run, _ in networks),
        example=[f"{run.algorithm}-{run.seed}" for run, _ in networks[:1]],
        left_out=data["leftOut"],
        size=data["size"],
        ways=data["sizes"][-1],
        contest_ways=min(data["sizes"][-1], len(data["glyphs"])),
        steps=data["networks"][0]["testSteps"] if networks else 1,
    )


def page_data(runs: list[LoadedRun], networks: list[tuple[LoadedRun, Weights]]) -> dict[str, Any]:
    """What the scripts read. sizes: features of each layer, from the pixels to the classes."""
    sizes = feature_sizes(networks[0][1]) if networks else [28 * 28, 5]
    return {
        "sizes": sizes,
        "size": round(sizes[0] ** 0.5),
        "leftOut": left_out(runs),
        "glyphs": json.loads(GLYPHS.read_text()),
        "networks": [network_data(run, weights) for run, weights in networks],
    }
