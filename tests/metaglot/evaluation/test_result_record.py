import json

import finished_run

from metaglot.evaluation.result_record import ClusteredMean, Mean, Result

NEW = {"mean": 0.5, "ci95": [0.4, 0.6]}


def test_the_mean_of_a_measure_is_that_of_its_mode():
    record = finished_run.result("maml", 42)
    result = Result.model_validate_json(json.dumps(record))
    assert result.mean_of("accuracy") == result.accuracy
    assert result.mean_of("inductive_accuracy") == result.inductive.accuracy != result.accuracy


def test_a_metric_that_the_result_has_besides_is_read_and_one_that_it_lacks_is_none():
    record = finished_run.result("maml", 42)
    record |= {"new": NEW, "inductive": record["inductive"] | {"new": NEW | {"mean": 0.45}}}
    result = Result.model_validate_json(json.dumps(record))
    assert result.mean_of("new") == Mean(mean=0.5, ci95=(0.4, 0.6))
    assert result.mean_of("inductive_new") == Mean(mean=0.45, ci95=(0.4, 0.6))
    assert result.mean_of("newer") is None


def test_the_interval_that_is_shown_is_the_wider_one():
    intervals = ((0.4, 0.6), (0.5, 0.5)), ((0.4, 0.6), (0.3, 0.7)), ((0.4, 0.6), (0.3, 0.5))
    shown = [ClusteredMean(mean=0.5, std=0.1, ci95=a, ci95_by_character=b).wider_interval for a, b in intervals]
    assert shown == [(0.4, 0.6), (0.3, 0.7), (0.3, 0.6)]
