"""The words that MLflow shows above its numbers (Markdown)."""

from metaglot.core.common.run_records import RunRecord
from metaglot.evaluation.result_record import Result

ON_EXPERIMENT = """\
Select runs and press Compare: `test_accuracy_percent` says which is better, its `by_character` bounds how sure \
that is, `train_seconds` how long it took.

- **Which is better?** `test_accuracy_percent`: every run is scored on the same test tasks.
- **How sure?** `test_accuracy_percent_by_character_low` and `_high`: the 95% confidence interval,
  clustered by character (`test_accuracy_ci95_*` ignores that, and is too narrow). It is about one network; a
  verdict about algorithms needs several seeds, and is in `data/report/index.html`.
- **How long?** `train_seconds`: the meta-training loop alone. Compare it where `device` and `threads` agree.
- `test_inductive_*`: each query is classified independently. `test_writeup_*`: the first 32 tasks, as in the original
  study.
  `test_by_step_*`: after so many adaptation steps.
"""

ON_MODEL = """\
A network that learns new characters from a few labelled images of each. Each training seed is a version. The alias \
`champion` is on the version with the best validation accuracy of its saved weights (the smaller seed among equal ones).

    mlflow.pyfunc.load_model("models:/NAME@champion").predict({"support": [...], "labels": [...], "queries": [...]})

- `support`, `queries`: images, each nested lists of numbers (height x width, or with colours) or a PNG in base64.
- `labels`: a text for each image of `support`; two classes or more, at most as many as in training.
- `steps` (optional): adaptation steps; by default as many as in the test.
- `transductive` (optional): `true` normalises all queries together; otherwise each is classified independently.

It answers `labels`, one for each query, and `probabilities`, of every class. `mlflow models serve` takes the same, or \
a list of such requests, under `inputs`. The model holds its own code; it needs the packages of its `requirements.txt`.
"""


def model_note(registered_name: str) -> str:
    """What a registered model takes and answers."""
    return ON_MODEL.replace("NAME", registered_name)


def run_note(run: RunRecord, result: Result) -> str:
    """One run in two sentences: how good and how sure; how long and on what."""
    task, accuracy, evaluated = run.config.task, result.accuracy, result.evaluate
    low, high = accuracy.wider_interval
    return f"""\
**{accuracy.mean:.2%}** of queries right, 95% interval {low:.2%} to {high:.2%}. Trained in \
**{run.train_seconds:.1f} s** on {run.device}, {run.threads} thread(s).

Scored on {evaluated.tasks} test tasks of {result.dataset}, {task.ways}-way {task.shots}-shot, after \
{evaluated.adaptation_steps} adaptation step(s): loss {result.loss.mean:.4f}. The interval is the \
wider of those over tasks and over characters. Validation took {run.validation_seconds:.1f} s more; times of different \
devices cannot be compared.
"""
