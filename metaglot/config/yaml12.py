"""YAML as DVC reads it, by the same library (YAML 1.2: `1e-3` is a number), so that both see the same values."""

from pathlib import Path
from textwrap import shorten
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, ComposerError
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import Node

from metaglot.core.common.errors import UserError


class _Composer(Composer):
    """Takes no aliases: a few lines of them stand for more values than any memory holds."""

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        if self.parser.check_event(AliasEvent):
            event = self.parser.get_event()
            problem = f"got the alias *{event.anchor}; takes the value itself"
            raise ComposerError(problem=problem, problem_mark=event.start_mark)
        return super().compose_node(parent, index)


class _Constructor(SafeConstructor):
    """Leaves as text what is not what it looks like (30 February, 5,000 digits): its place then refuses it."""

    def construct_object(self, node: Node, deep: bool = False) -> Any:
        try:
            value = super().construct_object(node, deep)
            if isinstance(value, int):
                str(value)  # fails for a hexadecimal number of 5,000 digits too, which no message could show
            return value
        except (ValueError, KeyError):
            return node.value


def parse_yaml(text: bytes, name: str) -> Any:
    """The one document in `text`; what is not YAML is refused by line."""
    reader = YAML(typ="safe")
    reader.Composer, reader.Constructor = _Composer, _Constructor
    try:
        return reader.load(text)
    except MarkedYAMLError as error:
        where = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise UserError(f"{name}: {where}{shorten(str(error.problem), 200)}") from None
    except YAMLError as error:
        raise UserError(f"{name}: {shorten(str(error), 200)}") from None
    except RecursionError:
        raise UserError(f"{name}: brackets lie within brackets beyond measure") from None


def read_yaml12(path: Path) -> Any:
    """The content of a file such as params.yaml, in which `3e-05` is a number. Raises UserError."""
    return parse_yaml(path.read_bytes(), str(path))
