"""What must be the same on every node, since it decides the last bits of a result."""

import platform
from importlib.metadata import PackageNotFoundError, version

from metaglot.core.common.errors import UserError

PACKAGES = ("torch", "numpy", "learn2learn", "dvc", "ray")


def versions() -> dict[str, str]:
    """The versions here: of Python, and of the packages."""
    return {"Python": platform.python_version()} | {name: installed(name) for name in PACKAGES}


def installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def check_versions(node: str, mine: dict[str, str], theirs: dict[str, str]) -> None:
    """Refuse a node with other versions than those at home."""
    others = [f"{name} {theirs.get(name)}, not {wanted}" for name, wanted in mine.items() if theirs.get(name) != wanted]
    if others:
        raise UserError(
            f"node {node} has {'; '.join(others)}: install the packages of requirements.lock there (`make env`), "
            "and start its Ray from that environment"
        )
