"""Take the screenshots in docs/: the report's charts, the draw page, and MLflow's comparison of the default runs.

    python -m tools.screenshots      needs data/report/*.html (dvc repro, or dvc checkout) and a Chromium

They show no drawing of Omniglot: the report's drawings are removed first.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Literal

import typer
from PIL import Image
from playwright.sync_api import Browser

from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import load_stage_config
from metaglot.report.stage_configs import ReportStageConfig
from stages.support import paths
from stages.support.command_line import run_command
from tools.browser import add_plot_axis, chromium, open_comparison, open_experiment
from tools.mlflow_server import free_port, serve

DOCS = Path("docs/screenshots")
REPORT, DARK, DRAW, COMPARE = PICTURES = ("report.png", "report-dark.png", "draw.png", "mlflow-compare.png")
LARGEST = 200_000  # bytes
ONLY = """(sections) => {
    const parts = [...document.querySelectorAll("header, section")]
    for (const one of parts) if (!sections.some(section => one.matches(section))) one.remove()
    for (const drawing of document.querySelectorAll("img")) drawing.remove()
    document.querySelector("main").style.paddingBottom = "24px"
}"""


def main(to: Annotated[Path, typer.Option(help="the folder for the screenshots")] = DOCS) -> None:
    """Take the screenshots in docs/."""
    page, draw_page = paths.REPORT / "index.html", paths.REPORT / "draw.html"
    for path in (page, draw_page):
        if not path.exists():
            raise UserError(f"{path} is missing: run `dvc repro`, or `dvc checkout` if it was run before")
    to.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        screenshot_report(browser, page, "light", ("header", "#scores"), to / REPORT)
        screenshot_report(browser, page, "dark", ("#learning", "#gradients"), to / DARK)
        screenshot_draw_page(browser, draw_page, to / DRAW)
        screenshot_comparison(browser, to / COMPARE)
    for name in PICTURES:
        reduce_colours(to / name)
        if (size := (to / name).stat().st_size) > LARGEST:
            raise UserError(f"{to / name} has {size} bytes, more than {LARGEST}: show less in it")


def screenshot_report(
    browser: Browser, path: Path, scheme: Literal["light", "dark"], sections: tuple[str, ...], to: Path
) -> None:
    """Some sections of the report, one below the other."""
    context = browser.new_context(viewport={"width": 1120, "height": 800}, color_scheme=scheme, offline=True)
    page = context.new_page()
    page.goto(path.resolve().as_uri())
    for chart in page.locator(".chart").all():
        chart.locator("svg").first.wait_for()
    page.evaluate(ONLY, list(sections))
    page.screenshot(path=to, full_page=True)
    context.close()


def screenshot_draw_page(browser: Browser, path: Path, to: Path) -> None:
    """The draw page with glyphs, down to the networks' answers."""
    context = browser.new_context(viewport={"width": 1120, "height": 1440}, color_scheme="light", offline=True)
    page = context.new_page()
    page.goto(path.resolve().as_uri())
    page.locator("#fill").click()
    page.wait_for_selector("body[aria-busy=false] #answers article")
    page.screenshot(path=to)
    context.close()


def screenshot_comparison(browser: Browser, to: Path) -> None:
    """MLflow's comparison of the runs in report.yaml, in a temporary database."""
    rows = load_stage_config(ReportStageConfig, paths.REPORT_CONFIG).rows
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"DVC_ROOT": folder, "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
        for row in rows:
            line = [sys.executable, "-m", "stages.track", row.algorithm, "--seed", str(row.seed)]
            subprocess.run(line, env=environment, check=True)
        with serve(Path(folder), free_port(), "ui") as address, open_experiment(browser, address, 1500) as page:
            open_comparison(page, *(f"{row.label} · seed {row.seed}" for row in rows))
            page.get_by_text("Parameters", exact=True).click()  # hides them
            add_plot_axis(page, "train_seconds")  # next to the accuracies, which are there already
            page.wait_for_timeout(2000)  # the charts are animated
            page.screenshot(path=to)


def reduce_colours(path: Path) -> None:
    """Use a palette of 256 colours, for a third of the size. Thin curves need rare colours, hence MAXCOVERAGE."""
    with Image.open(path) as picture:
        few = picture.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


if __name__ == "__main__":
    run_command(main)
