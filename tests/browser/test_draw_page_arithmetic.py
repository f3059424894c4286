"""The draw page's arithmetic in Chromium against the library's, in float64."""

import json
import subprocess
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from cases import Case
from draws import often
from offline_page import with_scripts
from playwright.sync_api import Browser, Page
from torch import Tensor

from metaglot.core.nn.functional_networks import create_network
from metaglot.report.draw_page.bundle import SCRIPTS, bundle
from metaglot.training.gradient_alignment import measure_alignment

pytestmark = pytest.mark.slow

TASKS = often(20, 100)
STEPS = 10
CLOSE = 1e-4  # of the norm
COMPUTE = """(text) => {  // as text: Playwright takes long over large lists
    const {parameters, support, labels, queries, queryLabels, rate, metaSteps} = JSON.parse(text)
    const loop = new InnerLoop(unpack(parameters), stack(support), labels, rate)
    const images = stack(queries)
    const logits = (transductive) => range(11).map((step) => [...loop.logits(step, images, transductive).values])
    const both = metaGradients(loop, metaSteps, images, queryLabels)
    return JSON.stringify({
        transductive: logits(true), inductive: logits(false), losses: range(11).map((step) => loop.supportLoss(step)),
        first: flatten(both.firstOrder), second: flatten(both.secondOrder), moved: loop.movement(10),
        compared: compareByLayer(both.firstOrder, both.secondOrder),
    })
}"""
HELPERS = """
const unpack = (lists) => Object.fromEntries(Object.entries(lists).map(([k, v]) => [k, Float64Array.from(v)]))
const flatten = (gradients) => NAMES.flatMap((name) => [...gradients[name]])
"""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    with with_scripts(browser, bundle("meta_gradient.js") + HELPERS) as page:
        yield page


def case(number: int) -> Case:
    """A random task of five outputs, as many pixels as fit, one to five images of each class and up to four steps."""
    random = np.random.default_rng(number)
    shots, queries, steps = (int(random.integers(1, high)) for high in (6, 4, 5))
    return Case(
        ways=5,
        shots=shots,
        queries=queries,
        steps=steps,
        tasks=1,
        size=12,
        fast_lr=random.uniform(0.05, 0.5),
        seed=number,
    )


def in_python(case: Case) -> tuple[list[Tensor], list[Tensor]]:
    """Logits after 0 to 10 steps, transductive and inductive."""
    batch, learner = case.batch(), case.algorithm()
    with torch.no_grad():
        classifiers = islice(learner.adapt(case.parameters(), batch.support, batch.support_labels), STEPS + 1)
        pairs = [(classifier(batch.query)[0], classifier.inductive(batch.query)[0]) for classifier in classifiers]
    together, alone = zip(*pairs, strict=True)
    return list(together), list(alone)


def in_browser(page: Page, case: Case) -> dict[str, Any]:
    batch = case.batch()
    names = create_network("fc").names
    parameters = {name: value.detach().flatten().tolist() for name, value in case.parameters().items() if name in names}
    task = {
        "parameters": parameters,
        "support": batch.support[0].flatten(1).tolist(),
        "labels": batch.support_labels[0].tolist(),
        "queries": batch.query[0].flatten(1).tolist(),
        "queryLabels": batch.query_labels[0].tolist(),
        "rate": case.fast_lr,
        "metaSteps": case.steps,
    }
    return json.loads(page.evaluate(COMPUTE, json.dumps(task)))


def meta_gradient(case: Case) -> Tensor:
    parameters = case.parameters()
    gradient, _ = case.algorithm().meta_gradient(parameters, case.batch())
    by_name = dict(zip(parameters, gradient, strict=True))
    return torch.cat([by_name[name].flatten() for name in create_network("fc").names])


def difference(actual: list[float], expected: Tensor) -> float:
    """The norm of the difference over the norm of what is expected."""
    return ((torch.tensor(actual, dtype=torch.float64) - expected).norm() / expected.norm()).item()


@pytest.mark.parametrize("number", range(TASKS))
def test_logits_and_both_meta_gradients_are_those_of_the_library(page: Page, number: int) -> None:
    task = case(number)
    shown = in_browser(page, task)
    for protocol, expected in zip(("transductive", "inductive"), in_python(task), strict=True):
        for step, logits in enumerate(expected):
            assert difference(shown[protocol][step], logits.flatten()) < CLOSE, (protocol, step)
    assert difference(shown["first"], meta_gradient(task.but(first_order=True))) < CLOSE
    assert difference(shown["second"], meta_gradient(task)) < CLOSE


def test_cosine_and_norm_ratio_by_layer_are_those_that_a_training_records(page: Page) -> None:
    task = case(3)
    compared = in_browser(page, task)["compared"]
    names = create_network("fc").names
    parameters = {name: value for name, value in task.parameters().items() if name in names}
    rows = measure_alignment(task.algorithm(), parameters, [task.batch()], 0)
    assert set(compared) == {row.layer for row in rows}
    for row in rows:
        assert compared[row.layer]["cosine"] == pytest.approx(row.cosine, rel=1e-6)
        assert compared[row.layer]["normRatio"] == pytest.approx(row.norm_ratio, rel=1e-6)


def test_the_scripts_are_modules_that_import_each_other_by_name() -> None:
    line = "import('./meta_gradient.js').then((module) => console.log(Object.keys(module).sort().join(' ')))"
    try:
        done = subprocess.run(["node", "-e", line], cwd=SCRIPTS, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("needs Node.js")
    assert done.stdout == "WHOLE_NETWORK compareByLayer hessianTimes metaGradients\n"
