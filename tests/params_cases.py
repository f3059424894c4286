"""Params of every kind, drawn at random: those that are in order, and those with one mistake."""

import re
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st
from params_file import changed

from metaglot.algorithms.registry import ALGORITHMS

NAMES = list(ALGORITHMS)
LEARN2LEARN = {"maml", "fomaml", "anil", "meta_sgd"}
ALONE = {*NAMES} - LEARN2LEARN  # that learn2learn does not have
NO_SEQUENCES = {"imaml", "label_free", "protonet"}  # they do not go on from the weights of an earlier task
TRANSDUCTIVE = {"hf_maml", "imaml", "reptile", "pretrained", "scratch"}  # whose training has no inductive form
NO_STEPS = ["fast_lr", "adaptation_steps", "test_adaptation_steps"]
UNUSED = {  # the shared keys that an algorithm has no use for
    "protonet": NO_STEPS,
    "label_free": NO_STEPS,
    "pretrained": ["meta_batch_size", "adaptation_steps"],
    "scratch": [*NO_STEPS, "iterations", "meta_batch_size", "meta_lr"],
}
SEEDS = ("whole", 0, 2**32 - 1)

# What each key takes, said a second time: whole (lowest, highest), number (above, highest), up to (lowest, highest),
# choice, auto or whole, part: whole or a fraction, text (pattern, an example).
TRAIN: dict[str, tuple[Any, ...]] = {
    "engine": ("choice", "batched", "learn2learn"),
    "iterations": ("whole", 0, 10**8),
    "meta_batch_size": ("whole", 1, 4096),
    "meta_lr": ("number", 0, 100),
    "fast_lr": ("number", 0, 100),
    "adaptation_steps": ("whole", 0, 1000),
    "validate_every": ("whole", 1, 10**7),
    "validation_tasks": ("whole", 1, 10**5),
    "batch_norm": ("choice", "transductive", "inductive"),
}
SETTINGS = TRAIN | {"test_adaptation_steps": ("whole", 0, 1000)}
OWN: dict[str, tuple[Any, ...]] = {
    "maml.second_order": ("up to", 0, 2),
    "partial_maml.layers": ("whole", 0, 5),
    "partial_maml.tasks": ("up to", 0, 1),
    "hf_maml.perturbation": ("number", 0, 1),
    "hf_maml.fixed_relu": ("choice", True, False),
    "imaml.regularisation": ("number", 0, 100),
    "imaml.damping": ("up to", 0, 1000),
    "imaml.cg_steps": ("whole", 1, 1000),
    "boil.head_lr": ("up to", 0, 100),
    "maml_plus_plus.adaptation_steps": ("whole", 1, 1000),
    "maml_plus_plus.step_losses": ("choice", True, False),
    "maml_plus_plus.learned_rates": ("choice", True, False),
    "maml_plus_plus.cosine": ("choice", True, False),
    "maml_plus_plus.order_annealing": ("choice", True, False),
    "reptile.minibatch": ("whole", 1, 4096),
    "reptile.training_shots": ("whole", 1, 19),
    "seq_fomaml.sequence_length": ("whole", 1, 100),
    "seq_fomaml.loss": ("choice", "end", "end_and_each"),
    "seq_fomaml.heads": ("choice", "one", "several"),
    "seq_fomaml.inner": ("choice", "sgd", "adam"),
    "seq_fomaml.minibatch": ("whole", 1, 4096),
    "seq_maml.sequence_length": ("whole", 1, 100),
    "seq_maml.loss": ("choice", "end", "end_and_each"),
    "seq_maml.heads": ("choice", "one", "several"),
    "protonet.training_ways": ("whole", 2, 256),
    "protonet.training_queries": ("whole", 1, 19),
    "label_free.cluster_iterations": ("whole", 1, 10**7),
    "pretrained.minibatch": ("whole", 1, 4096),
    "pretrained.patience": ("whole", 1, 10**7),
}  # and scratch's two lists
TAKES: dict[str, tuple[Any, ...]] = {
    "first_order": ("choice", True, False),
    "model": ("choice", "fc", "conv"),
    "run.device": ("choice", "auto", "cpu", "cuda", "cuda:0", "cuda:7", "mps"),
    "run.threads": ("auto", 1, 1024),
    "run.task_chunk": ("auto", 1, 4096),
    "data.source": ("choice", "omniglot", "omniglot-nearest", "glyphs"),  # and folder: see test_parse_params.py
    "data.path": ("text", "[^~].*", "data/raw"),  # another path is a folder: see test_parse_params.py
    "data.name": ("text", "[^/:\\x00-\\x1f]{1,100}", "auto"),
    "data.groups": ("choice", "none", "folders"),
    "data.ink": ("choice", "auto", "dark", "light", "none"),
    "data.channels": ("choice", 1),
    "data.unreadable": ("choice", "refuse", "skip"),
    "data.image_size": ("whole", 4, 105),
    "split.kind": ("choice", "random", "background"),
    "split.seed": SEEDS,
    "split.train": ("part", 2, 1623),
    "split.validation": ("part", 2, 1623),
    "split.test": ("part", 2, 1623),
    "task.ways": ("whole", 2, 256),
    "task.shots": ("whole", 1, 19),
    "task.queries": ("whole", 1, 19),
    "task.characters": ("choice", "any", "alphabet"),
    "task.rotations": ("choice", "class", "task", "none"),
    **{f"train.{key}": takes for key, takes in TRAIN.items()},
    "evaluate.tasks": ("whole", 2, 10**6),
    "evaluate.adaptation_steps": ("whole", 0, 1000),
    "evaluate.seed": SEEDS,
    "evaluate.sequences": ("whole", 0, 10**5),
    "evaluate.sequence_length": ("whole", 1, 100),
    "evaluate.sequence_heads": ("choice", "one", "several"),
    "evaluate.test_split": ("text", "[^~].*", "data/splits/test.npz"),  # another must be there
    "report.margin": ("number", 0, 1),
    **{f"settings.{name}.{key}": takes for name in NAMES for key, takes in SETTINGS.items()},
    **{f"settings.{key}": takes for key, takes in OWN.items()},
}
NEEDED = [key for key in TAKES if not key.startswith("settings")]
SECTIONS = ["run", "data", "split", "task", "train", "evaluate", "report", *(f"settings.{name}" for name in NAMES)]


def taken(key: str, value: Any) -> bool:
    """Whether a key takes a value, by the table above."""
    kind, *limits = TAKES[key]
    if value is None:
        return key.startswith("settings.") and key.rpartition(".")[2] in SETTINGS  # as if the key were not there
    if kind == "choice":
        return any(type(value) is type(choice) and value == choice for choice in limits)
    if value == "auto":
        return kind == "auto"
    if kind == "text":
        return isinstance(value, str) and re.fullmatch(limits[0], value, re.DOTALL) is not None
    if kind == "part" and type(value) is float:
        return 0 < value < 1
    if kind == "up to":
        return type(value) in (int, float) and limits[0] <= value <= limits[1]
    if kind == "number":
        within = type(value) in (int, float) and limits[0] < value <= limits[1]
        return within and (key != "report.margin" or value < 1)
    return type(value) is int and limits[0] <= value <= limits[1]


def values(key: str) -> st.SearchStrategy[Any]:
    """Values that a key takes."""
    kind, *limits = TAKES[key]
    if kind == "choice":
        return st.sampled_from(limits)
    if kind == "text":
        return st.just(limits[1])
    if kind == "up to":
        return st.floats(*limits)
    if kind == "number":
        low, high = limits
        below = st.floats(low, high, exclude_min=True, exclude_max=high == 1)
        return below | st.integers(1, 99) if high == 100 else below
    whole = st.integers(*limits)
    return whole | st.just("auto") if kind == "auto" else whole


anything = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=30),
    st.sampled_from(["", "auto", "cuda:", "cuda:١", "cuda:0\n", "fc ", "FC", "../x", "1e3", "0x10", "~", "maml; ls"]),
    st.integers(),
    st.sampled_from([-1, 0, 10**9, 2**63, 2**64, 10**400, -(10**4000), 1623, 257, 106]),
    st.floats(),
    st.dates(),
    st.binary(max_size=5),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


@st.composite
def valid(draw: st.DrawFn) -> dict[str, Any]:
    """Any params that can be together."""
    params = changed({key: draw(values(key)) for key in NEEDED})
    params["algorithms"] = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    params["seeds"] = draw(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=5, unique=True))
    params["settings"] = {name: draw(blocks(name)) for name in draw(st.sets(st.sampled_from(NAMES)))}
    for name in ALONE & {*params["algorithms"], *params["settings"]}:
        params["settings"].setdefault(name, {})["engine"] = "batched"
    for name in params["algorithms"]:
        block = params["settings"].setdefault(name, {})
        if name in TRANSDUCTIVE or block.get("engine", params["train"]["engine"]) == "learn2learn":
            block["batch_norm"] = "transductive"
    if params["first_order"]:
        params["settings"].get("maml", {}).pop("second_order", None)  # they would contradict each other
    parts = draw(st.tuples(*[st.integers(2, 1623 // 3)] * 3))
    params["split"] |= dict(zip(("train", "validation", "test"), parts, strict=True))
    params["task"]["ways"] = draw(st.integers(2, min(81, *parts)))
    params["evaluate"]["sequence_length"] = 1
    if params["evaluate"]["sequences"] == 1 or NO_SEQUENCES & {*params["algorithms"]}:
        params["evaluate"]["sequences"] = 0
    params["task"]["queries"] = draw(st.integers(1, 20 - params["task"]["shots"]))
    for name in {"seq_fomaml", "seq_maml"} & {*params["algorithms"]}:
        longest = min(100, params["split"]["train"] // params["task"]["ways"])
        params["settings"].setdefault(name, {})["sequence_length"] = draw(st.integers(1, longest))
    if params["evaluate"]["sequences"] or {"seq_fomaml", "seq_maml"} & {*params["algorithms"]}:
        params["task"]["characters"] = "any"
    if params["model"] == "conv":
        params["data"]["image_size"] = 28
    return params


def blocks(name: str) -> st.SearchStrategy[dict[str, Any]]:
    keys = {key.rpartition(".")[2]: key for key in TAKES if key.startswith(f"settings.{name}.")}
    used = {short: values(key) for short, key in keys.items() if short not in UNUSED.get(name, [])}
    return st.fixed_dictionaries({}, optional=used)


Mistake = tuple[dict[str, Any], str]  # the default params with one mistake, and how the line that refuses them begins


def invalid() -> st.SearchStrategy[Mistake]:
    return wrong_values() | unknown_keys() | missing_keys() | wrong_lists() | impossible()


@st.composite
def wrong_values(draw: st.DrawFn) -> Mistake:
    key, value = draw(st.sampled_from(list(TAKES))), draw(anything)
    assume(not taken(key, value))
    return changed({key: value}), f"{key}: got "


@st.composite
def unknown_keys(draw: st.DrawFn) -> Mistake:
    section = draw(st.sampled_from(["", *SECTIONS, "settings"]))
    key = draw(st.text(max_size=50) | st.text("abc_", min_size=1, max_size=9) | st.integers() | st.dates())
    params = changed({})
    part = within(params, section)
    assume(key not in part and not (section.startswith("settings.") and key in SETTINGS))
    part[key] = 1
    plain = re.fullmatch("[a-z_]+", str(key))
    return params, (f"{section}." if section else "") + (f"{key}: is not a key; takes the keys " if plain else "")


@st.composite
def missing_keys(draw: st.DrawFn) -> Mistake:
    key = draw(st.sampled_from(["algorithms", "seeds", "train", *NEEDED]))
    params, (section, _, name) = changed({}), key.rpartition(".")
    del within(params, section)[name]
    return params, f"{key}: is missing; takes "


@st.composite
def wrong_lists(draw: st.DrawFn) -> Mistake:
    key = draw(st.sampled_from(["algorithms", "seeds"]))
    known = st.sampled_from(NAMES) if key == "algorithms" else st.integers(0, 2**32 - 1)
    values = draw(anything | st.lists(known | anything, max_size=4))
    right = type(values) is list and 0 < len(values) and len({*map(repr, values)}) == len(values)
    assume(not right or not all(value in NAMES or type(value) is int and 0 <= value < 2**32 for value in values))
    return changed({key: values}), key


@st.composite
def impossible(draw: st.DrawFn) -> Mistake:
    """Values that their keys take, and that cannot be together."""
    key = draw(st.sampled_from(["task.ways", "task.queries", "split", "data.image_size"]))
    if key == "task.ways":
        changes = {key: draw(st.integers(101, 256)), "split.kind": draw(values("split.kind"))}
    elif key == "task.queries":
        shots = draw(st.integers(2, 19))
        changes = {"task.shots": shots, key: draw(st.integers(21 - shots, 19))}
    elif key == "split":
        changes = {"split.train": draw(st.integers(812, 1623)), "split.test": draw(st.integers(812, 1623))}
    else:
        changes = {"model": "conv", key: draw(st.integers(29, 105))}
    return changed(changes), f"{key}: got "


def within(params: dict[str, Any], section: str) -> dict[str, Any]:
    for name in section.split(".") if section else ():
        params = params[name]
    return params
