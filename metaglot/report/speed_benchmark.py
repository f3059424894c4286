"""What `make bench` measured and the claim on speed needs, from benchmarks/results.json."""

from pathlib import Path

from metaglot.core.common.run_records import Record, read_record


class SavedTime(Record):
    """The share of a MAML iteration's time that FOMAML saves: median and 95% interval, below 0 where it is slower."""

    median: float
    low: float
    high: float


class SpeedBenchmark(Record):
    """first_order_saves: by engine; empty if iterations were not timed."""

    machine: str = "an unnamed machine"
    first_order_saves: dict[str, SavedTime] = {}


def read_speed_benchmark(path: Path) -> SpeedBenchmark | None:
    """None if the file does not exist. Raises UserError if it is damaged."""
    return read_record(SpeedBenchmark, path, "restore it, or run `make bench`") if path.exists() else None
