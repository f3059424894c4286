"""What is wrong with a value, in one line: its key, what was got, and what its place takes."""

import re
from collections.abc import Sequence
from reprlib import Repr
from typing import Any

from pydantic import BaseModel, ValidationError

from metaglot.core.common.errors import UserError

Key = Sequence[str | int]
Schema = dict[str, Any]

SHORT = Repr()
SHORT.maxstring = SHORT.maxother = 60


def value_error(file: str, key: Key, got: Any, takes: str) -> UserError:
    """What was got is shown as Python writes it, cut short: one line, whatever it holds."""
    return UserError(f"{file}: {_dotted(key)}got {SHORT.repr(got)}; takes {takes}")


def first_error(file: str, mistakes: ValidationError, model: type[BaseModel], given: Any) -> UserError:
    """The refusal of the first of the mistakes in what was `given` for a `model`.

    A key that is missing comes last: it is often another one's misspelling.
    """
    mistake = min(mistakes.errors(), key=lambda mistake: mistake["type"] == "missing")
    loc, schema = mistake["loc"], model.model_json_schema()
    if mistake["type"] == "missing":
        return UserError(f"{file}: {_dotted(loc)}is missing; takes {_takes(_find(schema, loc))}")
    if mistake["type"] in ("extra_forbidden", "invalid_key"):
        return UserError(f"{file}: {_dotted(loc)}is not a key; takes {_takes(_find(schema, loc[:-1]))}")
    key = _key(loc, given)
    if mistake["type"] == "value_error":
        return value_error(file, key, mistake["input"], mistake["msg"])
    part = _find(schema, key)
    return value_error(file, key, mistake["input"], _takes(part) + _as_list(key, mistake["input"], part))


def _as_list(key: Key, got: Any, part: Schema) -> str:
    """How to write one value where a list is expected; DVC itself fails on it without a reason."""
    one = part.get("type") == "array" and re.fullmatch(r"\w{1,40}", str(got))
    return f": write [{got}], or -S '{'.'.join(map(str, key))}=[{got}]'" if one else ""


def _dotted(key: Key) -> str:
    """`task.ways: `, or nothing for the whole; a part that is not a plain name is quoted and cut short."""
    plain = (str(part) if re.fullmatch(r"[A-Za-z0-9_-]{1,40}", str(part)) else SHORT.repr(part) for part in key)
    return ".".join(plain) + ": " if key else ""


def _key(loc: Key, given: Any) -> list[str | int]:
    """`loc` as far as it leads through `given`: beyond that pydantic names the branches of a union."""
    key: list[str | int] = []
    for part in loc:
        inside = isinstance(part, int) if isinstance(given, list) else isinstance(given, dict) and part in given
        if not inside:
            break
        given = given[part]
        key.append(part)
    return key


def _find(schema: Schema, key: Key) -> Schema:
    """The part of a model's JSON schema that describes a key, without its references."""
    part = schema
    for name in key:
        part = part["items"] if isinstance(name, int) else part["properties"][name]
        part = schema["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part
    return part


def _takes(part: Schema) -> str:
    """A part of a JSON schema in words."""
    match part:
        case {"anyOf": options}:
            return " or ".join(_takes(option) for option in options if option != {"type": "null"})
        case {"enum": values}:
            return " or ".join(map(str, values))
        case {"const": value}:
            return str(value)
        case {"properties": keys}:
            return f"the keys {', '.join(keys)}"
        case {"type": "array", "items": items}:
            return f"a list of {part['minItems']} to {part['maxItems']}, each {_takes(items)}"
        case {"type": "integer" | "number"}:
            return ("a whole number" if part["type"] == "integer" else "a number") + _bounds(part)
        case {"type": "boolean"}:
            return "true or false"
    return str(part.get("description", part["type"]))


def _bounds(part: Schema) -> str:
    words = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "up to", "exclusiveMaximum": "below"}
    return "".join(f" {word} {part[bound]}" for bound, word in words.items() if bound in part)
