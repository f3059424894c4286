"""The page on adding an algorithm speaks of what is there; test_pipeline.py types it."""

import re

from add_an_algorithm import PAGE
from params_file import ROOT

from metaglot.core.learners.meta_learner import MetaLearner


def test_the_page_names_no_file_that_is_not_there() -> None:
    named = set(re.findall(r"`((?:metaglot|tests|docs)/[\w/.]+)`", PAGE))
    named |= {f"metaglot/algorithms/{name}" for name in re.findall(r"`(\w+\.py)`", PAGE)}
    there = {path for path in named if (ROOT / path).exists()}
    assert named - there == {"metaglot/algorithms/boil.py", "tests/metaglot/algorithms/test_boil.py"}


def test_the_page_names_every_hook() -> None:
    hooks = {name for name, found in vars(MetaLearner).items() if callable(found) and not name.startswith("_")}
    assert "adapt" in hooks and not {name for name in hooks if f"`{name}`" not in PAGE}
