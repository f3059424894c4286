"""The page of `dvc plots show` as Chromium shows it, opened from disk without a network."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DVC = [sys.executable, "-m", "dvc"]
PIPELINE = """\
plots:
- Accuracy:
    template: {template}
    x: iteration
    y: {{curves.csv: accuracy}}
"""
CURVES = "run,iteration,accuracy,low,high\nMAML 42,0,0.2,0.1,0.3\nMAML 42,500,0.97,0.96,0.98\n"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DVC repository with the project's templates, and the page as the installation writes it."""
    folder = tmp_path_factory.mktemp("plots") / "a repository"
    folder.mkdir()
    for command in (["git", "init", "-q"], [*DVC, "init", "-q"]):
        subprocess.run(command, cwd=folder, check=True)
    shutil.copytree(ROOT / ".dvc/plots", folder / ".dvc/plots")
    (folder / "curves.csv").write_text(CURVES)
    subprocess.run([sys.executable, ROOT / "tools/plots_page.py"], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("template", sorted(path.stem for path in (ROOT / ".dvc/plots").glob("*.json")))
def test_the_charts_are_drawn_without_a_network(browser: Browser, repository: Path, template: str) -> None:
    (repository / "dvc.yaml").write_text(PIPELINE.format(template=template))
    subprocess.run([*DVC, "plots", "show"], cwd=repository, check=True, capture_output=True)
    context = browser.new_context(offline=True)
    context.set_default_timeout(10_000)
    page, errors, requests = context.new_page(), [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto((repository / "dvc_plots/index.html").as_uri())
    page.locator(".vega-embed .mark-symbol path").first.wait_for()
    assert errors == [] and [url for url in requests if not url.startswith(("file:", "data:"))] == []
    context.close()


def test_a_page_that_the_user_chose_stays(repository: Path) -> None:
    chosen = [*DVC, "config", "--local", "plots.html_template"]
    subprocess.run([*chosen, "mine.html"], cwd=repository, check=True)
    subprocess.run([sys.executable, ROOT / "tools/plots_page.py"], cwd=repository, check=True)
    assert subprocess.run(chosen, cwd=repository, capture_output=True, text=True).stdout == "mine.html\n"
