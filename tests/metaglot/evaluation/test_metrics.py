from metaglot.evaluation.metrics import MEASURES, METRICS


def test_every_metric_is_measured_in_both_modes_with_a_title_for_each():
    inductive = {f"inductive_{metric.name}": metric._replace(title=f"inductive {metric.title}") for metric in METRICS}
    assert MEASURES == {metric.name: metric for metric in METRICS} | inductive
