"""The stages of the pipeline: one module for each DVC stage, run as `python -m stages.<name>`."""

import os
import sys
from importlib.util import find_spec

REQUIRED = ("torch", "typer", "pydantic", "yaml", "safetensors")

missing = [name for name in REQUIRED if find_spec(name) is None]
if sys.version_info < (3, 11) or missing:
    problem = "is older than 3.11" if not missing else f"has no {missing[0]}"
    sys.exit(f"error: {sys.executable} {problem}: run `make repro`, or activate .venv first (. .venv/bin/activate)")

# OpenMP's waiting threads spin and slow down other programs on the same cores, such as another training. This limits
# the spinning; OpenMP reads it when torch is first imported.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
