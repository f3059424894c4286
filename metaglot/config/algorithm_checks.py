"""What one algorithm cannot do with params that are valid for others: refused in one line."""

from metaglot.config.params import FILE, Params
from metaglot.config.validation_messages import value_error
from metaglot.core.common.stage_configs import TrainingConfig
from metaglot.core.learners.meta_learner import MetaLearner


def check_training(params: Params, train: TrainingConfig, name: str, found: type[MetaLearner]) -> None:
    """Raise UserError for what the algorithm cannot have: an engine, a batch norm, an order, a length of sequences, or
    settings that it has no use for.

    train: the algorithm's own, resolved.
    """
    _check_used(params, name, found)
    if train.engine == "learn2learn" and not found.learn2learn_class:
        raise value_error(FILE, ["train", "engine"], train.engine, f"batched for {name}: learn2learn has none")
    if train.batch_norm == "inductive":
        _check_inductive(train, name, found)
    settings = getattr(params.settings, name)
    if found.takes_first_order and params.first_order and settings.second_order != 1:
        raise value_error(FILE, ["settings", name, "second_order"], settings.second_order, "1.0 with first_order: true")
    if length := getattr(settings, "sequence_length", None):
        _check_any_alphabet(params)
        _check_length(params, ["settings", name, "sequence_length"], length, "train", "training")


def check_test_sequences(params: Params, name: str, found: type[MetaLearner]) -> None:
    """Raise UserError if the algorithm learns no sequences, or those asked for are too few or too long."""
    test, key = params.evaluate, ["evaluate", "sequences"]
    if not test.sequences:
        return
    if not found.learns_sequences:
        takes = f"0 with {name}, which does not adapt by steps that go on from task to task"
        raise value_error(FILE, key, test.sequences, takes)
    _check_any_alphabet(params)
    if test.sequences == 1:
        raise value_error(FILE, key, 1, "0, or 2 and more: one has no interval")
    _check_length(params, ["evaluate", "sequence_length"], test.sequence_length, "test", "test")


def _check_inductive(train: TrainingConfig, name: str, found: type[MetaLearner]) -> None:
    """Refuse an algorithm or an engine whose queries are not normalised by the support set's statistics."""
    key, value = ["train", "batch_norm"], train.batch_norm
    if not found.trains_inductively:
        raise value_error(FILE, key, value, f"transductive for {name}: its training has no inductive form")
    if train.engine == "learn2learn":
        raise value_error(FILE, key, value, "transductive for the engine learn2learn")


def _check_used(params: Params, name: str, found: type[MetaLearner]) -> None:
    settings = getattr(params.settings, name)
    for key in sorted(found.unused_settings):
        value, default = getattr(settings, key), found.Settings.model_fields[key].default
        if value != default:
            takes = f"nothing: {name} has no use for it" if default is None else str(default)
            raise value_error(FILE, ["settings", name, key], value, takes)


def _check_any_alphabet(params: Params) -> None:
    if params.task.characters == "alphabet":
        raise value_error(FILE, ["task", "characters"], "alphabet", "any with sequences of tasks")


def _check_length(params: Params, key: list[str], length: int, part: str, adjective: str) -> None:
    """A sequence has no character twice. Where the split has no counts, the stage tells whether there are enough."""
    characters, ways = getattr(params.split, part), params.task.ways
    if params.split.kind == "random" and isinstance(characters, int) and length * ways > characters:
        takes = f"up to {characters // ways}: a sequence has no {adjective} character twice"
        raise value_error(FILE, key, length, takes)
