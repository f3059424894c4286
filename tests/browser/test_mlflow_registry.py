"""MLflow's registry, as a reader sees it: the champion, what it takes and answers, and the run that it is of."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import untrained_model
from mlflow import MlflowClient
from mlflow_runs import MODEL, working_in
from playwright.sync_api import Browser, Page, expect

from stages import track
from tools.browser import CHOICES

pytestmark = pytest.mark.slow

SECONDS = 60


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A repository where MAML was trained from two seeds and published."""
    folder = tmp_path_factory.mktemp("workspace")
    with working_in(folder):
        for seed in (42, 43):
            untrained_model.write(seed=seed)
            track.main("maml", seed)
        yield folder


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 1400})
    context.set_default_timeout(1000 * SECONDS)
    expect.set_options(timeout=1000 * SECONDS)
    for name, value in CHOICES.items():
        context.add_init_script(f"localStorage.setItem({name!r}, {value!r})")
    yield context.new_page()
    context.close()


def test_the_registered_model_says_how_to_use_it_and_which_version_is_the_champion(page: Page, address: str) -> None:
    page.goto(f"{address}/#/models/{MODEL}")
    expect(page.get_by_text(f'load_model("models:/{MODEL}@champion")')).to_be_visible()
    rows = page.get_by_role("row").filter(has=page.get_by_text("Version", exact=False))
    row = rows.filter(has_text="MAML · seed 42")
    expect(row).to_contain_text("Version 1")
    expect(row).to_contain_text("champion")
    expect(rows.filter(has_text="MAML · seed 43")).not_to_contain_text("champion")


def test_a_version_shows_its_schema_and_leads_to_its_run(page: Page, address: str) -> None:
    page.goto(f"{address}/#/models/{MODEL}/versions/1")
    page.get_by_text("Inputs (5)").click()
    for name in ("support", "labels", "queries", "steps", "transductive"):
        expect(page.get_by_text(name).first).to_be_visible()
    page.get_by_role("link", name="MAML · seed 42").click()
    expect(page.get_by_role("heading", name="MAML · seed 42")).to_be_visible()


def test_the_logged_model_has_its_metrics_its_files_and_its_version(page: Page, workspace: Path, address: str) -> None:
    mlflow = MlflowClient(f"sqlite:///{workspace}/mlflow.db")
    (logged,) = [model for model in mlflow.search_logged_models(["1"]) if model.name == "maml-42"]
    page.goto(f"{address}/#/experiments/1/models/{logged.model_id}")
    expect(page.get_by_role("row").filter(has_text="test_accuracy").first).to_be_visible()
    expect(page.get_by_role("link", name=MODEL)).to_be_visible()
    page.get_by_role("link", name="Artifacts").or_(page.get_by_text("Artifacts", exact=True)).first.click()
    for name in ("MLmodel", "requirements.txt", "input_example.json"):
        expect(page.get_by_text(name, exact=True).first).to_be_visible()
