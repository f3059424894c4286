"""The parts of learn2learn that are used: its algorithms, layers and vision models.

`import learn2learn` also loads its data sets, pandas and torchvision: three seconds more in every stage. It also
prints the banner of gym.
"""

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

PACKAGE = "learn2learn"
PARTS = ("algorithms", "nn", "vision.models")


def _import_parts() -> ModuleType:
    """The package with these parts alone; a later `import learn2learn` elsewhere still loads the whole."""
    if PACKAGE in sys.modules:
        return sys.modules[PACKAGE]
    package = _register(PACKAGE)
    package.vision = _register(f"{PACKAGE}.vision")  # type: ignore[attr-defined]  # a module takes any attribute
    for part in PARTS:
        import_module(f"{PACKAGE}.{part}")
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]
    return package


def _register(name: str) -> ModuleType:
    """A package whose modules can be imported, though its own `__init__.py` is not run."""
    spec = find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    sys.modules[name] = module_from_spec(spec)
    return sys.modules[name]


l2l: Any = _import_parts()
