"""The files of one finished training, as `track` reads them: plausible, fixed numbers in the documented formats."""

import csv
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from metaglot.core.common.atomic_files import write_json, write_yaml
from stages.support import paths

STARTED = 1_700_000_000_000
LABELS = {"maml": "MAML", "fomaml": "FOMAML"}


def config(algorithm: str, seed: int, **changes: Any) -> dict[str, Any]:
    return {
        "algorithm": algorithm,
        "label": LABELS[algorithm],
        "implementation": f"metaglot.algorithms.{algorithm}:{LABELS[algorithm]}",
        "first_order": algorithm == "fomaml",
        "dataset": "omniglot",
        "model": "fc",
        "image_size": 28,
        "task": {"ways": 5, "shots": 5, "queries": 5, "rotations": "class", "characters": "any"},
        "split": {"kind": "random", "seed": 42},
        "train": {
            "engine": "batched",
            "iterations": 1500,
            "meta_batch_size": 32,
            "meta_lr": 0.003,
            "fast_lr": 0.5,
            "adaptation_steps": 1,
            "validate_every": 500,
            "validation_tasks": 200,
            "batch_norm": "transductive",
        },
        "run": {"device": "auto", "threads": "auto", "task_chunk": "auto"},
        "settings": {},
        "seed": seed,
    } | changes


def run_record(algorithm: str, seed: int, **changes: Any) -> dict[str, Any]:
    seconds = 606.41 if algorithm == "maml" else 385.27
    return {
        "algorithm": algorithm,
        "label": LABELS[algorithm],
        "seed": seed,
        "started_at": STARTED + seed,
        "ended_at": STARTED + seed + 700_000,
        "train_seconds": seconds,
        "validation_seconds": 21.5,
        "setup_seconds": 3.25,
        "iterations_per_second": 16.49,
        "peak_memory_mb": 812.4,
        "device": "Some CPU @ 2.50GHz",
        "threads": 2,
        "processes": 1,
        "versions": {"python": "3.11.7", "torch": "2.14.1", "learn2learn": "0.2.0", "metaglot": "0.1.0"},
        "commit": "0123456789abcdef0123456789abcdef01234567",
        "resumed": 0,
        "parity": {"reference": "learn2learn", "dtype": "float64", "tasks": 1, "tolerance": 1e-9},
        "config": config(algorithm, seed, **changes),
    }


def history(rows: int = 4) -> list[dict[str, Any]]:
    return [
        {
            "iteration": 500 * row,
            "seconds": 200.5 * row,
            "train_loss": 1 / (1 + row) if row else "",
            "train_accuracy": 1 - 0.8 / (1 + row) if row else "",
            "validation_loss": 1.1 / (1 + row),
            "validation_accuracy": 1 - 0.7 / (1 + row),
            "gradient_norm": 0.3 / (1 + row) if row else "",
        }
        for row in range(rows)
    ]


def result(algorithm: str, seed: int, dataset: str = "omniglot") -> dict[str, Any]:
    mean = (0.9752 if algorithm == "maml" else 0.9708) + seed / 1e5

    def accuracy(mean: float) -> dict[str, Any]:
        wide = [mean - 0.0031, mean + 0.0029]
        return {"mean": mean, "ci95": [mean - 0.0005, mean + 0.0004], "std": 0.03, "ci95_by_character": wide}

    loss = {"mean": 0.0823, "ci95": [0.0801, 0.0845]}
    return {
        "algorithm": algorithm,
        "label": LABELS[algorithm],
        "first_order": algorithm == "fomaml",
        "seed": seed,
        "dataset": dataset,
        "split_sha256": "5" * 64,
        "tasks_sha256": "7" * 64,
        "accuracy": accuracy(mean),
        "loss": loss,
        "inductive": {"accuracy": accuracy(mean - 0.02), "loss": loss},
        "writeup": {"accuracy": 0.96875, "loss": 0.1011, "tasks": 32},
        "by_step": [{"step": n, "accuracy": mean - 0.7 / 4**n, "loss": 0.08 + 1.5 / 4**n} for n in range(11)],
        "task": config(algorithm, seed)["task"],
        "evaluate": {"tasks": 10000, "adaptation_steps": 1, "seed": 0},
    }


def write(algorithm: str = "maml", seed: int = 42, rows: int = 4, **changes: Any) -> None:
    """Write what the stages leave in the working directory; `changes` are to the training's config."""
    record = run_record(algorithm, seed, **changes)
    asked = {key: value for key, value in record["config"].items() if key not in ("train", "seed")}
    scores = result(algorithm, seed, record["config"]["dataset"])
    write_yaml(paths.evaluate_config(algorithm), asked | {"fast_lr": 0.5, "evaluate": scores["evaluate"]})
    write_json(paths.run_record(algorithm, seed), record)
    write_json(paths.result(algorithm, seed), scores)
    write_history(paths.history(algorithm, seed), rows)


def write_history(path: Path, rows: int) -> None:
    table = history(rows)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, table[0])
        writer.writeheader()
        writer.writerows(table)


def publish(folder: Path, algorithm: str, seed: int) -> None:
    """Run the stage `track` in `folder`, as a process of its own would."""
    os.chdir(folder)
    from stages import track

    track.main(algorithm, seed)


def multiply(database: Path, run_id: str, times: int) -> None:
    """Copy a published run, with its params, tags and curves, under other ids and identities."""
    with closing(sqlite3.connect(database)) as db, db:
        for table in ("runs", "params", "tags", "metrics", "latest_metrics"):
            columns = [column[1] for column in db.execute(f"PRAGMA table_info({table})")]
            values = ", ".join("run_uuid || '-' || ?" if name == "run_uuid" else name for name in columns)
            copy = f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} WHERE run_uuid = ?"
            db.executemany(copy, [(number, run_id) for number in range(times)])
        db.execute("UPDATE tags SET value = run_uuid WHERE key = 'metaglot.identity' AND run_uuid LIKE '%-%'")
