"""The lines that are shown while runs are computed."""

import time

import pytest

from cluster.plan import Job
from cluster.progress import Line, Progress


def test_a_run_tells_its_iteration_and_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    line, clock = Line(10_000), iter([100.0, 160.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    line.see(500)
    assert line.detail == "iteration 500 of 10,000"
    line.see(1_000)
    assert line.detail == "iteration 1,000 of 10,000, 18 min left"


def test_without_a_terminal_each_change_is_a_line_with_the_total(capsys: pytest.CaptureFixture[str]) -> None:
    jobs = [Job("maml", seed, ("train",)) for seed in (1, 2)]
    with Progress(jobs, {"maml": 100}) as progress:
        progress.say("maml-1", "running", "node-a")
        progress.say("maml-1", "failed", detail="the loss is not finite")
    first, second = capsys.readouterr().err.splitlines()
    assert first == "maml-1: running: node-a: 0 of 2 runs"
    assert second.startswith("maml-1: failed: the loss is not finite: 1 of 2 runs")


def test_the_total_of_a_single_run_is_in_the_singular(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress([Job("maml", 1, ("train",))], {"maml": 100}) as progress:
        progress.say("maml-1", "done")
    assert capsys.readouterr().err == "maml-1: done: 1 of 1 run\n"
