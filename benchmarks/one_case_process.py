"""One case in a separate process, to measure its peak memory: `python -m benchmarks.one_case_process JSON`.

JSON has the algorithm, the case and the arguments of `measure`. learn2learn is not imported here, because its import
takes more memory than most cases.
"""

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from benchmarks.cases import BOTH_ORDERS, CPU, Case, initial_parameters
from benchmarks.timing import interleaved, quartiles
from metaglot.core.tasks.image_store import ImageStore
from stages.support.device import peak_memory_mb


def measure(case: Case, drawings: str, repeats: int) -> dict[str, Any]:
    """Seconds of a meta-gradient; peak memory, and the memory before the first meta-gradient, in MiB."""
    batch = case.batch(ImageStore(np.load(drawings, allow_pickle=False), CPU))
    meta_gradient = partial(case.engine().meta_gradient, initial_parameters(case), batch)
    before = resident_mb("VmRSS")
    seconds = interleaved({"case": meta_gradient}, repeats, turn_seconds=0.1)["case"]
    return {"seconds": quartiles(seconds), "peak_memory_mb": resident_mb("VmHWM"), "before_mb": before}


def resident_mb(kind: Literal["VmRSS", "VmHWM"]) -> int:
    """Resident memory in MiB, now or at its peak; from /proc, since getrusage's peak may be the parent's."""
    status = Path("/proc/self/status")
    if not status.exists():
        return round(peak_memory_mb(CPU))
    return int(status.read_text().partition(f"{kind}:")[2].split()[0]) // 1024


if __name__ == "__main__":
    arguments = json.loads(sys.argv[1])
    kind = {kind.label: kind for kind in BOTH_ORDERS}[arguments.pop("algorithm")]
    print(json.dumps(measure(Case(kind, **arguments.pop("case")), **arguments)))
