"""MLflow's own pages, as a reader sees them: runs, their durations, and the comparison of two of them."""

from collections.abc import Iterator
from pathlib import Path

import finished_run
import pytest
from mlflow import MlflowClient
from mlflow_runs import working_in
from playwright.sync_api import Browser, Page, expect

from metaglot.core.common.atomic_files import read_json
from stages import track
from stages.support import paths
from tools.browser import add_plot_axis, open_comparison, open_experiment

pytestmark = pytest.mark.slow

BOTH = ("MAML · seed 42", "FOMAML · seed 42")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A repository where MAML and FOMAML were trained and published; and another task, a hundred times."""
    folder = tmp_path_factory.mktemp("workspace")
    with working_in(folder):
        for algorithm in ("maml", "fomaml"):
            finished_run.write(algorithm)
            track.main(algorithm, 42)
        finished_run.write("maml", rows=121, model="conv")
        track.main("maml", 42)
        (run,) = MlflowClient(f"sqlite:///{folder}/mlflow.db").search_runs(["2"])
        finished_run.multiply(folder / "mlflow.db", run.info.run_id, 99)
        finished_run.write("maml")
        yield folder


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with open_experiment(browser, address) as experiment_page:
        yield experiment_page


def metrics(page: Page) -> dict[str, tuple[float, ...]]:
    """All rows of the comparison's grid of metrics, which draws only those that are in view, as it is scrolled."""
    by_name: dict[str, tuple[float, ...]] = {}
    names, values = page.locator(".ReactVirtualized__Grid").all()[-2:]
    end = values.evaluate("grid => grid.scrollHeight")
    for top in range(0, end, 300):
        values.evaluate("(grid, top) => grid.scrollTop = top", top)
        page.wait_for_timeout(100)
        shown = values.evaluate(CELLS)
        by_name |= {name: tuple(map(number, shown[y])) for y, (name,) in names.evaluate(CELLS).items() if y in shown}
    return by_name


CELLS = """grid => {
    const cells = Array.from(grid.querySelectorAll("div[style*='position: absolute']"))
    const rows = Object.groupBy(cells, cell => cell.style.top)
    const inOrder = row => row.sort((a, b) => parseFloat(a.style.left) - parseFloat(b.style.left))
    return Object.fromEntries(Object.entries(rows).map(([top, row]) => [top, inOrder(row).map(c => c.innerText)]))
}"""


def number(text: str) -> float:
    return float(text.replace(",", ""))


def rounded(value: float) -> float:
    """As the comparison rounds: three decimals below 10, two below 100, then fewer."""
    return round(value, 3 if abs(value) < 10 else 2 if abs(value) < 100 else 1)


def test_the_experiment_shows_each_training_with_its_duration_and_says_what_to_look_at(page: Page) -> None:
    for label in ("MAML", "FOMAML"):
        row = page.locator("[row-id]", has=page.get_by_text(f"{label} · seed 42", exact=True))
        expect(row.first).to_be_visible()
    expect(page.get_by_text("11.7min")).to_have_count(2)
    expect(page.get_by_text("press Compare")).to_be_visible()


def test_the_comparison_says_which_is_better_how_sure_and_how_long(page: Page) -> None:
    shown = metrics(open_comparison(page, *BOTH))
    for column, algorithm in enumerate(("maml", "fomaml")):
        result = read_json(paths.result(algorithm, 42))
        accuracy, record = result["accuracy"], read_json(paths.run_record(algorithm, 42))
        low, high = accuracy["ci95_by_character"]
        expected = {
            "test_accuracy": accuracy["mean"],
            "test_accuracy_percent": 100 * accuracy["mean"],
            "test_accuracy_percent_by_character_low": 100 * low,
            "test_accuracy_percent_by_character_high": 100 * high,
            "test_loss": result["loss"]["mean"],
            "train_seconds": record["train_seconds"],
        }
        assert {name: shown[name][column] for name in expected} == {n: rounded(v) for n, v in expected.items()}


def test_the_comparison_s_plot_has_the_training_times_beside_the_accuracies(page: Page) -> None:
    open_comparison(page, *BOTH)
    add_plot_axis(page, "train_seconds")
    for algorithm in ("maml", "fomaml"):
        seconds = read_json(paths.run_record(algorithm, 42))["train_seconds"]
        expect(page.get_by_text(f"{seconds:.5f}", exact=True).first).to_be_visible()
        accuracy = read_json(paths.result(algorithm, 42))["accuracy"]["mean"]
        expect(page.get_by_text(f"{accuracy:.5f}", exact=True).first).to_be_visible()


def test_the_comparison_shows_the_learning_curves_side_by_side(page: Page) -> None:
    open_comparison(page, *BOTH).get_by_text("learning_curve.png").first.click()
    expect(page.locator("img:visible")).to_have_count(2)


def test_the_comparison_opens_for_a_hundred_runs_with_full_curves(page: Page) -> None:
    page.goto(page.url.replace("experiments/1", "experiments/2"))
    expect(page.get_by_text("100 matching runs")).to_be_visible()
    page.locator("[role=columnheader] input[type=checkbox]").first.click()
    page.get_by_test_id("runs-compare-button").click()
    page.get_by_title("Plot chart").first.wait_for()
    expect(page.get_by_text("Comparing 100 Runs from 1 Experiment")).to_be_visible()
