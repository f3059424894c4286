"""The verbs of the pipeline: one module for each DVC stage, run as `python -m stages.<name>`."""

import os
import sys
from importlib.util import find_spec

NEEDS = ("torch", "typer", "pydantic", "yaml", "safetensors")

missing = [name for name in NEEDS if find_spec(name) is None]
if sys.version_info < (3, 11) or missing:
    found = "is older than 3.11" if not missing else f"has no {missing[0]}"
    sys.exit(f"error: {sys.executable} {found}: run `make repro`, or activate .venv first (. .venv/bin/activate)")

# OpenMP's threads spin where they wait for each other, and starve whatever else runs on the same cores, such as another
# training. They look a short while only; read when torch is first imported.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
