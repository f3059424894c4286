from typing import Any

from metaglot.report.statistics.pairwise_result import pairwise_result

SEED = {"accuracy": {"ci95": [-0.01, 0.03], "ci95_by_character": [-0.02, 0.02]}}
BY_CHARACTER = {"ci95_by_task": [0.0, 0.02], "ci95_by_character": [-0.01, 0.018]}
SEVERAL = {"difference": 0.01, "ci95": [0.005, 0.015], "p_holm": 0.02} | BY_CHARACTER


def pair_of(accuracy: dict[str, Any], seeds: int = 2) -> dict[str, Any]:
    algorithms = {"first": "maml", "second": "anil", "labels": ["MAML", "ANIL"]}
    judged = {"over_seeds": {"accuracy": accuracy}, "verdict": "better", "within_margin": False}
    return algorithms | judged | {"by_seed": [SEED] * seeds}


def test_its_intervals_are_those_of_the_pair_and_from_the_other_side_their_opposites():
    maml, anil = (pairwise_result(pair_of(SEVERAL), name) for name in ("maml", "anil"))
    assert (maml.low, maml.high, maml.over_characters) == (0.005, 0.015, (-0.01, 0.02))
    assert (anil.low, anil.high, anil.over_characters) == (-0.015, -0.005, (-0.02, 0.01))
    assert (maml.difference, anil.difference) == (0.01, -0.01)
    assert (maml.seeds, maml.p, maml.family) == (2, 0.02, 1)


def test_with_one_seed_its_interval_is_the_wider_one_of_that_seed():
    result = pairwise_result(pair_of(SEVERAL | {"ci95": None, "p_holm": None}, seeds=1), "anil")
    assert (result.low, result.high, result.over_characters) == (-0.03, 0.02, None)


def test_without_an_interval_over_characters_it_has_none():
    over_seeds = {key: value for key, value in SEVERAL.items() if key not in BY_CHARACTER}
    assert pairwise_result(pair_of(over_seeds), "maml").over_characters is None
