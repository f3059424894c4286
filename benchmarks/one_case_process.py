"""One case in a process of its own, so that its peak memory is its own: `python -m benchmarks.one_case_process JSON`.

JSON says the algorithm, the case and what `measure` takes. It does without learn2learn, whose import would cost more
than most cases.
"""

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from safetensors.torch import load_file

from benchmarks.cases import CPU, KINDS, Case, require_grad
from benchmarks.timing import in_turns, spread
from metaglot.core.tasks.image_store import ImageStore
from stages.support.device import peak_memory_mb


def measure(case: Case, weights: str, drawings: str, repeats: int) -> dict[str, Any]:
    """Seconds of a meta-gradient; peak memory, MiB, and what of it was there before the first one."""
    batch = case.batch(ImageStore(np.load(drawings, allow_pickle=False), CPU))
    meta_gradient = partial(case.engine().meta_gradient, require_grad(load_file(weights)), batch)
    before = resident_mb("VmRSS")
    found = in_turns({"it": meta_gradient}, repeats, turn=0.1)
    return {"seconds": spread(found["it"]), "peak_memory_mb": resident_mb("VmHWM"), "before_mb": before}


def resident_mb(kind: Literal["VmRSS", "VmHWM"]) -> int:
    """Resident memory, MiB, now or at its peak; from Linux itself, since getrusage's peak may be the parent's."""
    status = Path("/proc/self/status")
    if not status.exists():
        return round(peak_memory_mb(CPU))
    return int(status.read_text().partition(f"{kind}:")[2].split()[0]) // 1024


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    kind = {kind.label: kind for kind in KINDS}[asked.pop("algorithm")]
    print(json.dumps(measure(Case(kind, **asked.pop("case")), **asked)))
