"""What each stage is told, given params.yaml."""

import re
from pathlib import Path
from typing import Any, ClassVar

import pytest
from error_lines import error_line
from params_cases import UNUSED
from params_file import changed, text

from metaglot.algorithms.registry import ALGORITHMS
from metaglot.config.parse_params import parse_params
from metaglot.config.resolve import import_classes, overridden_settings, resolve
from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import AlgorithmSettings
from metaglot.core.learners.gradient_based import GradientBased


class Annealed(GradientBased):
    """An algorithm with settings of its own and no learn2learn_class."""

    class Settings(AlgorithmSettings):
        anneal: bool = True
        train_ways: int = 5

    label = "Annealed"
    first_order = None
    learn2learn_class: ClassVar[str | None] = None


CLASSES = import_classes(ALGORITHMS) | {"annealed": Annealed}


def resolved(changes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every file, as plain values."""
    files = resolve(parse_params(text(changed(changes)), CLASSES), CLASSES)
    return {name: section.model_dump() for name, section in files.items()}


def test_there_is_a_file_for_each_reader() -> None:
    of_all = {"data.yaml", "split.yaml", "report.yaml"}
    assert set(resolved({"algorithms": ["fomaml"]})) == of_all | {"fomaml/train.yaml", "fomaml/evaluate.yaml"}


def test_a_train_config_holds_all_that_a_training_depends_on_and_nothing_else() -> None:
    assert resolved({})["maml/train.yaml"] == {
        "algorithm": "maml",
        "label": "MAML",
        "implementation": "metaglot.algorithms.maml:MAML",
        "first_order": False,
        "dataset": "omniglot",
        "model": "fc",
        "image_size": 28,
        "task": {"ways": 5, "shots": 5, "queries": 5, "rotations": "class", "characters": "any"},
        "split": {"kind": "random", "seed": 42},
        "images": None,
        "train": changed({})["train"],
        "run": {"device": "auto", "threads": "auto", "task_chunk": "auto"},
        "settings": {"second_order": 1.0},
    }


def test_a_first_order_maml_is_labelled_and_differs_from_fomaml_in_name_alone() -> None:
    files = resolved({"first_order": True})
    maml, fomaml = files["maml/train.yaml"], files["fomaml/train.yaml"]
    assert (maml["label"], maml["first_order"]) == ("MAML (first_order=true)", True)
    assert {key for key in maml if maml[key] != fomaml[key]} == {"algorithm", "label", "implementation", "settings"}


@pytest.mark.parametrize(
    ("factor", "label", "first_order"),
    [
        (1.0, "MAML", False),
        (0.05, "MAML (second_order=0.05)", False),
        (2, "MAML (second_order=2)", False),
        (0.0, "MAML (second_order=0)", True),
    ],
)
def test_a_scaled_second_order_term_is_in_the_label(factor: float, label: str, first_order: bool) -> None:
    maml = resolved({"settings.maml.second_order": factor})["maml/train.yaml"]
    assert (maml["label"], maml["first_order"]) == (label, first_order)
    assert maml["settings"] == {"second_order": factor}


LONGEST = "sequence_length: got 10; takes up to 9: a sequence has no"


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        (
            {"first_order": True, "settings.maml.second_order": 0.5},
            "settings.maml.second_order: got 0.5; takes 1.0 with first_order: true",
        ),
        *(
            ({"algorithms": [name], "split.train": 49}, f"settings.{name}.{LONGEST} training character twice")
            for name in ("seq_fomaml", "seq_maml")
        ),
        ({"evaluate.sequences": 100, "split.test": 49}, f"evaluate.{LONGEST} test character twice"),
        ({"evaluate.sequences": 1}, "evaluate.sequences: got 1; takes 0, or 2 and more"),
        ({"evaluate.sequences": 100, "task.characters": "alphabet"}, "task.characters: got 'alphabet'; takes any"),
        (
            {"algorithms": ["seq_maml"], "task.characters": "alphabet"},
            "task.characters: got 'alphabet'; takes any",
        ),
        (
            {"evaluate.sequences": 100, "algorithms": ["maml", "protonet"]},
            "evaluate.sequences: got 100; takes 0 with protonet, which does not adapt",
        ),
    ],
)
def test_what_cannot_be_together_is_refused(changes: dict[str, Any], refusal: str) -> None:
    assert refusal in error_line(lambda: resolved(changes))


def test_a_split_too_small_for_a_task_is_left_to_preprocess_where_nothing_learns_sequences(tmp_path: Path) -> None:
    changes = {"data.path": str(tmp_path), "split.train": 4}
    assert resolved(changes)["split.yaml"]["train"] == 4
    assert resolved({"algorithms": ["seq_maml"], "split.train": 50})  # ten tasks of five ways
    told = error_line(lambda: resolved(changes | {"algorithms": ["seq_maml"]}))
    assert "settings.seq_maml.sequence_length: got 10; takes up to 0" in told


def test_without_test_sequences_no_evaluation_is_told_of_them() -> None:
    told = resolved({"evaluate.sequence_length": 5})["maml/evaluate.yaml"]["evaluate"]
    assert told == {"tasks": 10000, "adaptation_steps": 1, "seed": 0}


@pytest.mark.parametrize(
    ("changes", "files"),
    [
        ({"first_order": True}, {"maml/train.yaml", "maml/evaluate.yaml", "report.yaml"}),
        ({"evaluate.tasks": 600}, {"maml/evaluate.yaml", "fomaml/evaluate.yaml"}),
        ({"seeds": [42, 43]}, {"report.yaml"}),
        ({"report.margin": 0.01}, {"report.yaml"}),
        ({"train.iterations": 7}, {"maml/train.yaml", "fomaml/train.yaml"}),
        ({"split.train": 1000}, {"split.yaml"}),
        ({"settings.maml.meta_lr": 0.1}, {"maml/train.yaml"}),
        ({"settings.fomaml.fast_lr": 0.1}, {"fomaml/train.yaml", "fomaml/evaluate.yaml"}),
        ({"settings.maml.test_adaptation_steps": 3}, {"maml/evaluate.yaml"}),
        ({"settings.fomaml.meta_lr": 0.003}, set()),
    ],
)
def test_a_change_reaches_the_files_that_it_is_about(changes: dict[str, Any], files: set[str]) -> None:
    before, after = resolved({}), resolved(changes)
    given = before["report.yaml"].pop("params"), after["report.yaml"].pop("params")
    assert {name for name in before if before[name] != after[name]} == files and given[0] != given[1]


def test_counts_are_void_where_alphabets_decide() -> None:
    split = resolved({"split.kind": "background"})["split.yaml"]
    assert (split["kind"], split["train"], split["validation"], split["test"]) == ("background", None, None, None)
    assert resolved({"split.kind": "background", "split.test": 99})["split.yaml"] == split


@pytest.mark.parametrize(
    ("source", "downloads", "dataset"),
    [("omniglot-nearest", "omniglot", "omniglot-nearest"), ("glyphs", "glyphs", "glyphs (synthetic)")],
)
def test_a_source_has_its_downloads_and_its_name_everywhere(source: str, downloads: str, dataset: str) -> None:
    files = resolved({"data.source": source})
    assert files.pop("data.yaml") == {"source": downloads}
    assert {file["dataset"] for file in files.values()} == {dataset}


def test_settings_beat_train_and_evaluate() -> None:
    changes = {f"settings.maml.{key}": value for key, value in {"fast_lr": 0.4, "test_adaptation_steps": 3}.items()}
    files = resolved(changes)
    assert files["maml/train.yaml"]["train"] == changed({})["train"] | {"fast_lr": 0.4}
    assert files["maml/evaluate.yaml"]["fast_lr"] == 0.4
    assert files["maml/evaluate.yaml"]["evaluate"] == {"tasks": 10000, "adaptation_steps": 3, "seed": 0}
    assert files["fomaml/train.yaml"]["train"] == changed({})["train"]


def test_what_settings_override_is_said() -> None:
    changes = {"settings.maml.fast_lr": 0.4, "settings.fomaml.fast_lr": 0.5, "settings.maml.test_adaptation_steps": 3}
    assert list(overridden_settings(parse_params(text(changed(changes | {"data.path": "birds"})), CLASSES))) == [
        "data.path: the images of birds instead of omniglot",
        "settings.maml.fast_lr: 0.4 instead of 0.5",
        "settings.maml.test_adaptation_steps: 3 instead of 1",
    ]


@pytest.mark.parametrize(
    ("folder", "name"), [("omniglot", "omniglot (folder)"), ("a:b\tc", "a-b-c"), ("x" * 101, "x" * 100)]
)
def test_a_folder_is_called_by_its_own_name_and_as_no_data_set_of_this_project(folder: str, name: str) -> None:
    files = resolved({"data.path": f"/images/{folder}"})
    assert (files["report.yaml"]["dataset"], files["data.yaml"]["source"]) == (name, "folder")


def test_settings_of_its_own_go_to_the_algorithm() -> None:
    files = resolved({"algorithms": ["annealed"], "settings.annealed.train_ways": 60, "settings.annealed.meta_lr": 0.1})
    train, evaluate = files["annealed/train.yaml"], files["annealed/evaluate.yaml"]
    assert train["settings"] == evaluate["settings"] == {"anneal": True, "train_ways": 60}
    assert (train["train"]["meta_lr"], train["first_order"], evaluate["task"]["ways"]) == (0.1, None, 5)


def test_what_cannot_be_trained_inductively_is_refused_unless_its_settings_say_transductive() -> None:
    inductive = {"train.batch_norm": "inductive"}
    assert resolved(inductive)["maml/train.yaml"]["train"]["batch_norm"] == "inductive"
    classes = import_classes(ALGORITHMS)
    for name in ("hf_maml", "imaml", "reptile", "pretrained", "scratch"):
        changes = inductive | {"algorithms": [name]}
        with pytest.raises(UserError, match=f"train.batch_norm: got 'inductive'; takes transductive for {name}: "):
            resolve(parse_params(text(changed(changes)), classes), classes)
        mixed = changed(changes | {f"settings.{name}": {"batch_norm": "transductive"}})
        assert resolve(parse_params(text(mixed), classes), classes)
    with pytest.raises(UserError, match="takes transductive for the engine learn2learn"):
        resolved(inductive | {"train.engine": "learn2learn"})


@pytest.mark.parametrize(("name", "key"), [(name, key) for name, keys in UNUSED.items() for key in keys])
def test_a_setting_that_an_algorithm_has_no_use_for_is_refused(name: str, key: str) -> None:
    line = error_line(lambda: resolved({"algorithms": [name], f"settings.{name}": {key: 7}}))
    takes = "0" if key == "iterations" else f"nothing: {name} has no use for it"
    assert re.fullmatch(rf"params.yaml: settings.{name}.{key}: got 7(\.0)?; takes {takes}", line)


def test_an_algorithm_that_learn2learn_has_not_cannot_be_asked_of_it() -> None:
    both = {"algorithms": ["maml", "annealed"]}
    with pytest.raises(UserError, match="train.engine: got 'learn2learn'; takes batched for annealed"):
        resolved(both | {"train.engine": "learn2learn"})
    mixed = resolved(both | {"train.engine": "learn2learn", "settings.annealed.engine": "batched"})
    assert mixed["maml/train.yaml"]["train"]["engine"] == "learn2learn"


def test_the_report_has_a_row_for_every_algorithm_and_seed() -> None:
    rows = resolved({"seeds": [1, 0]})["report.yaml"]["rows"]
    assert [(row["label"], row["first_order"], row["seed"]) for row in rows] == [
        ("MAML", False, 1),
        ("MAML", False, 0),
        ("FOMAML", True, 1),
        ("FOMAML", True, 0),
    ]
