"""How two sets of params differ."""

from collections.abc import Iterable

from metaglot.core.common.dotted_keys import flatten
from tools.params_file import Params

NOT_COMPARED = "run"  # the device and threads, which every record contains


def list_differences(expected: Params, actual: Params, settings: Iterable[str] = ()) -> list[str]:
    """The differences between two sets of params as text, by dotted key.

    The order of algorithms, `run`, and the settings of algorithms that do not run are ignored. So is a key that the
    actual params lack, unless it is among `settings`: it is newer than they are, and its default is what they did.
    """
    algorithms = expected["algorithms"]
    before, after = (dict(flatten(_comparable(params, algorithms))) for params in (expected, actual))
    keys = [key for key in dict.fromkeys([*before, *after]) if key in after or key in settings]
    return [f"{key} {after.get(key)}, not {before.get(key)}" for key in keys if before.get(key) != after.get(key)]


def _comparable(params: Params, algorithms: list[str]) -> Params:
    settings = {name: block for name, block in (params.get("settings") or {}).items() if name in algorithms}
    compared = {key: value for key, value in params.items() if key != NOT_COMPARED}
    return compared | {"settings": settings, "algorithms": sorted(params["algorithms"])}
