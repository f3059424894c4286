"""params.yaml: what is accepted means what it says, what is not is refused in one line that names the key."""

from io import BytesIO
from typing import Any

import pytest
from draws import examples
from hypothesis import given
from hypothesis import strategies as st
from params_cases import NEEDED, Mistake, invalid, valid
from params_file import ASGIVEN, TEXT, changed, text
from ruamel.yaml import YAML

from metaglot.algorithms.registry import ALGORITHMS
from metaglot.config.params import Params
from metaglot.config.parse_params import parse_params
from metaglot.config.resolve import import_classes
from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import AlgorithmSettings, TrainingConfig

CLASSES = import_classes(ALGORITHMS)


def refused(content: bytes) -> str:
    """The line in which params are refused, which must be one, and short."""
    with pytest.raises(UserError) as refusal:
        parse_params(content, CLASSES)
    line = str(refusal.value)
    assert line.startswith("params.yaml: ") and len(line.splitlines()) == 1 and len(line) < 600
    return line


def same(params: Params, asked: dict[str, Any]) -> None:
    assert params.model_dump(exclude_unset=True) == asked


def test_the_default_params_are_the_design_s() -> None:
    same(parse_params(TEXT, CLASSES), ASGIVEN)
    assert ASGIVEN["train"] == {
        "engine": "batched",
        "iterations": 10000,
        "meta_batch_size": 32,
        "meta_lr": 0.003,
        "fast_lr": 0.5,
        "adaptation_steps": 1,
        "validate_every": 500,
        "validation_tasks": 200,
        "batch_norm": "transductive",
    }
    assert (ASGIVEN["algorithms"], ASGIVEN["seeds"], ASGIVEN["first_order"]) == (["maml", "fomaml"], [42], False)


def test_every_value_of_the_default_params_is_explained() -> None:
    lines = [line for line in TEXT.decode().splitlines() if line and not line.strip().startswith(("#", "- "))]
    values = [line for line in lines if not line.partition("#")[0].strip().endswith((":", "{}"))]
    of_blocks = sum(type(value) is not list for block in ASGIVEN["settings"].values() for value in block.values())
    assert len(values) == len(NEEDED) + of_blocks
    assert all("  # " in line for line in values)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_block_that_is_left_out_means_what_params_yaml_says(name: str) -> None:
    defaults = CLASSES[name].Settings().model_dump(exclude_none=True)
    assert ASGIVEN["settings"][name] == defaults


@given(valid())
@examples(60)
def test_valid_params_are_accepted_and_mean_what_they_say(params: dict[str, Any]) -> None:
    same(parse_params(text(params), CLASSES), params)


@given(invalid())
@examples(150)
def test_a_mistake_is_refused_by_key(mistake: Mistake) -> None:
    params, line = mistake
    assert refused(text(params)).startswith(f"params.yaml: {line}")


def test_a_misspelt_key_is_named_before_the_one_that_is_missing() -> None:
    params = changed({"train.meta_Lr": 0.1})
    del params["train"]["meta_lr"]
    assert refused(text(params)).startswith("params.yaml: train.meta_Lr: is not a key; takes the keys engine, ")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"algorithms": []}, f"algorithms: got []; takes a list of 1 to {len(ALGORITHMS)}, each maml or "),
        ({"algorithms": ["maml", "mml"]}, "algorithms.1: got 'mml'; takes maml or fomaml"),
        ({"algorithms": ["maml", "../maml"]}, "algorithms.1: got '../maml'; takes maml or fomaml"),
        ({"algorithms": ["maml", "maml"]}, "algorithms.1: got 'maml'; takes each once"),
        ({"algorithms": "maml"}, f"algorithms: got 'maml'; takes a list of 1 to {len(ALGORITHMS)}, each maml or "),
        (
            {"seeds": 43},
            "seeds: got 43; takes a list of 1 to 1000, each a whole number from 0 up to 4294967295: write [43]",
        ),
        ({"seeds": []}, "seeds: got []; takes a list of 1 to 1000, each a whole number from 0 up to 4294967295"),
        ({"seeds": [0, 42, 42]}, "seeds.2: got 42; takes each once"),
        ({"seeds": [4.0]}, "seeds.0: got 4.0; takes a whole number from 0 up to 4294967295"),
        ({"seeds": [-1]}, "seeds.0: got -1; takes a whole number from 0 up to 4294967295"),
        ({"seeds": [True]}, "seeds.0: got True; takes a whole number from 0 up to 4294967295"),
        ({"task.ways": 101}, "task.ways: got 101; takes up to 100, the characters in the smallest part of the split"),
        ({"task.ways": 82, "split.kind": "background"}, "task.ways: got 82; takes up to 81, the characters in the"),
        ({"task.shots": 20}, "task.shots: got 20; takes a whole number from 1 up to 19"),
        ({"task.shots": 16}, "task.queries: got 5; takes up to 4 beside 16 shots: a character has 20 drawings"),
        (
            {"split.test": 424},
            "split: got {'test': 424, 'train': 1100, 'validation': 100}; takes counts that add up to",
        ),
        ({"model": "conv", "data.image_size": 32}, "data.image_size: got 32; takes 28 for the model conv"),
        ({"settings.mml": {}}, "settings.mml: is not a key; takes the keys maml, fomaml, "),
        ({"settings.maml.ways": 5}, "settings.maml.ways: is not a key; takes the keys engine, iterations, "),
        ({"settings.maml": None}, "settings.maml: got None; takes the keys engine, iterations, "),
        ({"run.threads": 0}, "run.threads: got 0; takes auto or a whole number from 1 up to 1024"),
        ({"run.threads": [2]}, "run.threads: got [2]; takes auto or a whole number from 1 up to 1024"),
        ({"run.threads": {"auto": 2}}, "run.threads: got {'auto': 2}; takes auto or a whole number from 1 up to 1024"),
        ({"run.device": "gpu"}, "run.device: got 'gpu'; takes auto, cpu, cuda, cuda:N or mps"),
        ({"evaluate.tasks": 1e999}, "evaluate.tasks: got inf; takes a whole number from 2 up to 1000000"),
        *[
            ({"data.path": path}, f"data.path: got '{path}'; takes a folder that is not in data/raw, which is for")
            for path in ("data/raw/", "./data/raw", "data/raw/birds", "data/../data/raw/birds")
        ],
        ({"data.path": "birds", "task.characters": "alphabet"}, "task.characters: got 'alphabet'; takes any without"),
        ({"data.path": "birds", "split.kind": "background"}, "split.kind: got 'background'; takes random without"),
        (
            {"data.path": "birds", "data.name": "omniglot"},
            "data.name: got 'omniglot'; takes a name that no data set of",
        ),
        ({"data.path": "birds", "data.channels": 3}, "data.channels: got 3; takes 1 for the model fc; conv takes 3"),
        (
            {"data.path": "birds", "data.channels": 3, "model": "conv", "data.ink": "dark"},
            "data.ink: got 'dark'; takes auto or none with three channels",
        ),
        ({"report.margin": 1}, "report.margin: got 1; takes a number above 0 below 1"),
        ({"first_order": "yes"}, "first_order: got 'yes'; takes true or false"),
    ],
)
def test_what_is_wrong_and_what_would_be_right_is_said(changes: dict[str, Any], line: str) -> None:
    assert refused(text(changed(changes))).startswith(f"params.yaml: {line}")


def test_counts_do_not_bind_a_split_by_alphabets() -> None:
    params = changed({"split.kind": "background", "split.test": 1623, "task.ways": 81})
    same(parse_params(text(params), CLASSES), params)


BOMB = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (name + 1, name + 1, b", ".join([b"*%c" % name] * 9)) for name in b"abcdefgh"
)


@pytest.mark.parametrize(
    ("yaml", "line"),
    [
        (b"", "got None; takes the keys first_order, "),
        (b"42", "got 42; takes the keys first_order, "),
        (TEXT + b"model: conv\n", 'found duplicate key "model"'),
        (TEXT.replace(b"fomaml: {}", b"fomaml: {fast_lr: 1, fast_lr: 2}"), 'found duplicate key "fast_lr"'),
        (BOMB, "line 2: got the alias *a; takes the value itself"),
        (
            TEXT.replace(b"fomaml: {}", b"fomaml: &x {}").replace(b"maml_2017: {}", b"maml_2017: *x"),
            "got the alias *x; takes the value itself",
        ),
        (b"a: &a [*a]", "got the alias *a; takes the value itself"),
        (b"!!python/object/apply:os.system [ls]", "line 1: could not determine a constructor for the tag"),
        (b"model: fc\n---\nmodel: fc\n", "but found another document"),
        (b"- " * 2000, "brackets lie within brackets beyond measure"),
        (b"model: \xff", "unacceptable character"),
        (b"model: \x00", "unacceptable character"),
        (b"model: [fc", "expected ',' or ']'"),
        (b"%YAML 9.9\n---\nmodel", "line 1: found incompatible YAML document"),
        (TEXT.replace(b" 10000 ", b" 0x" + b"f" * 9999), "train.iterations: got '0xffff"),
        (TEXT.replace(b" 10000 ", b" " + b"9" * 9999), "train.iterations: got '9999"),
        (TEXT.replace(b" 28 ", b" 2026-02-30 "), "data.image_size: got '2026-02-30'; takes a whole number"),
        (TEXT.replace(b" 28 ", b" !!bool maybe "), "data.image_size: got 'maybe'; takes a whole number"),
    ],
)
def test_yaml_that_means_harm_is_refused_in_one_line(yaml: bytes, line: str) -> None:
    assert line in refused(yaml)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@examples(60)
def test_noise_is_refused_in_one_line(noise: bytes) -> None:
    refused(noise)


@pytest.mark.parametrize("number", [b"1e-3", b"1e-05", b"0.00001", b"1.0e+1"])
def test_numbers_are_read_as_dvc_writes_them(number: bytes) -> None:
    params = parse_params(TEXT.replace(b" 0.003 ", b" " + number + b" "), CLASSES)
    assert params.train.meta_lr == float(number)


def test_dvc_writes_params_back_as_they_stand() -> None:
    """An experiment that sets one key changes one line."""
    writer, written = YAML(), BytesIO()
    writer.dump(writer.load(TEXT), written)
    assert written.getvalue() == TEXT


def test_settings_may_change_every_key_of_train() -> None:
    assert set(AlgorithmSettings.model_fields) == {*TrainingConfig.model_fields, "test_adaptation_steps"}


def test_the_table_of_what_keys_take_is_complete() -> None:
    sections = {key: part for key, part in ASGIVEN.items() if isinstance(part, dict) and key != "settings"}
    keys = {f"{section}.{key}" for section, part in sections.items() for key in part}
    assert keys | {*ASGIVEN} - {*sections} == {*NEEDED, "algorithms", "seeds", "settings"}


@pytest.mark.parametrize(
    ("key", "value"), [("seeds", 43), ("algorithms", "protonet"), ("settings.scratch.tried_steps", 3)]
)
def test_one_value_in_the_place_of_a_list_is_told_how_to_write_it(key: str, value: Any) -> None:
    assert refused(text(changed({key: value}))).endswith(f": write [{value}], or -S '{key}=[{value}]'")
