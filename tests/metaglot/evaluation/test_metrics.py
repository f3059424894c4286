from metaglot.evaluation.metrics import MEASURES


def test_every_metric_is_measured_in_both_modes_with_a_title_for_each():
    assert {name: measure.title for name, measure in MEASURES.items()} == {
        "accuracy": "accuracy",
        "loss": "loss",
        "worst_tenth": "worst tenth",
        "calibration_error": "calibration error",
        "inductive_accuracy": "inductive accuracy",
        "inductive_loss": "inductive loss",
        "inductive_worst_tenth": "inductive worst tenth",
        "inductive_calibration_error": "inductive calibration error",
    }
    losses = {"loss", "inductive_loss"}
    assert {name for name, measure in MEASURES.items() if not measure.is_fraction} == losses
    assert {name for name, measure in MEASURES.items() if not measure.is_clustered} == losses
