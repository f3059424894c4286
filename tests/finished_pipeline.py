"""The files that the report reads, of invented runs whose scores have a known mean."""

from contextlib import chdir
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from finished_run import STARTED, run_record
from safetensors.numpy import save_file

from metaglot.algorithms.registry import ALGORITHMS
from metaglot.config.resolve import import_classes
from metaglot.core.common.atomic_files import write_json, write_text, write_yaml
from metaglot.core.common.stage_configs import ComputeConfig, Heads, TaskConfig, load_stage_config
from metaglot.core.tasks import class_splits, split_parts
from metaglot.core.tasks.alphabets import Alphabets
from metaglot.core.tasks.random_streams import StreamPurpose
from metaglot.core.tasks.sequences import sample_sequences
from metaglot.core.tasks.task_sampler import TaskIndices, sample_tasks
from metaglot.evaluation.metrics import MEASURES
from metaglot.evaluation.scoring import EvaluationScores
from metaglot.evaluation.sequence_accuracies import SequenceAccuracies
from metaglot.evaluation.stage_configs import TEST_SPLIT, EvaluateStageConfig, EvaluationConfig
from metaglot.evaluation.summarise_scores import make_result, score_arrays
from metaglot.evaluation.summarise_sequences import sequence_arrays, summarise_sequences
from metaglot.report.comparison import compare_runs
from metaglot.report.draw_page.networks import INNER_LOOPS, MODEL, NAMES
from metaglot.report.stage_configs import ReportStageConfig
from stages import report
from stages.support import paths

CHARACTERS, SIZE = 60, 12
SEQUENCE_LENGTH = 4
CLASSES = [f"Alphabet_{i // 20}/character{i % 20 + 1:02}" for i in range(CHARACTERS)]
SKILLS = {"maml": 0.97, "fomaml": 0.96}
UNTRAINED = {"scratch"}  # its history is empty
ONE_STEP = {"scratch", "protonet", "pretrained", "label_free"}  # they do not adapt in steps
LABELS = {name: kind.label for name, kind in import_classes(ALGORITHMS).items()}
ORDERS = {name: kind.first_order for name, kind in import_classes(ALGORITHMS).items()}
TASK = {"ways": 5, "shots": 5, "queries": 5, "rotations": "class"}
Finished = tuple[ReportStageConfig, list[report.LoadedRun]]


class Pipeline:
    """Writes the files of a finished pipeline, except the report, into the working directory."""

    def __init__(self, skills: dict[str, float] | None = None, seeds: tuple[int, ...] = (42,), **options: Any):
        self.skills, self.seeds = skills or SKILLS, seeds
        self.dataset: str = options.get("dataset", "omniglot")
        self.iterations: int = options.get("iterations", 10_000)
        self.labels: dict[str, str] = LABELS | options.get("labels", {})
        self.first_order: dict[str, bool | None] = options.get("first_order", {})
        self.train: dict[str, Any] = options.get("train", {})
        self.kind: str = options.get("kind", "random")
        self.model: str = options.get("model", "fc")
        self.image_size: int = options.get("image_size", 28)
        self.adaptation_steps: int = options.get("adaptation_steps", 1)
        self.stopped: dict[str, int] = options.get("stopped", {})  # the iteration at which a training ended early
        self.task = TaskConfig(**TASK | options.get("task", {}))
        self.tests: int = options.get("tests", 300)
        self.sequences: int = options.get("sequences", 0)  # of four tasks each
        self.heads: Heads = options.get("sequence_heads", "one")
        self.test_split: str = options.get("test_split", TEST_SPLIT)
        self.cosine: float = options.get("cosine", 0.93)
        self.serial: bool = options.get("serial", True)
        self.devices: list[str] = options.get("devices", ["Some CPU @ 2.50GHz"])
        self.random = np.random.default_rng(0)

    def write(self) -> None:
        self._split()
        rows = [self._identity(algorithm) | {"seed": seed} for algorithm in self.skills for seed in self.seeds]
        setting = {key: value for key, value in self._setting().items() if key != "image_size"}
        write_yaml(paths.REPORT_CONFIG, setting | {"margin": 0.005, "rows": rows})
        alphabets = Alphabets([class_splits.alphabet(name) for name in CLASSES])
        tasks = sample_tasks((StreamPurpose.TESTING, 0, 0), self.tests, CHARACTERS, 20, self.task, alphabets)
        ease = self.random.normal(0, 0.02, CHARACTERS)
        for number, row in enumerate(rows):
            self._trained(row["algorithm"], row["seed"], number)
            self._scored(row["algorithm"], row["seed"], tasks, ease)

    def _identity(self, algorithm: str) -> dict[str, Any]:
        return {"algorithm": algorithm, "label": self.labels[algorithm], "first_order": self._order(algorithm)}

    def _setting(self) -> dict[str, Any]:
        task, split = self.task.model_dump(), {"kind": self.kind, "seed": 42}
        about = {"dataset": self.dataset, "model": self.model, "image_size": self.image_size}
        return about | {"task": task, "split": split}

    def _order(self, algorithm: str) -> bool | None:
        """As `configure` writes it, unless an option replaces it."""
        return self.first_order.get(algorithm, ORDERS[algorithm])

    def _split(self) -> None:
        """A test split of random strokes."""
        paper = np.zeros((CHARACTERS, 20, SIZE, SIZE), np.uint8)
        walks = np.cumsum(self.random.integers(-1, 2, (CHARACTERS, 20, 2, 25)), axis=-1) + SIZE // 2
        for character, drawing, (rows, columns) in ((c, d, walks[c, d]) for c in range(CHARACTERS) for d in range(20)):
            paper[character, drawing, rows % SIZE, columns % SIZE] = 255
        split_parts.save_split_part(paths.split("test"), split_parts.SplitPart(paper, CLASSES), split_sha256="5" * 64)

    def _trained(self, algorithm: str, seed: int, number: int) -> None:
        seconds = 0.0 if algorithm in UNTRAINED else 600.0 if algorithm == "maml" else 380.0
        start = STARTED + number * (700_000 if self.serial else 1000)
        base = run_record("maml", seed)
        iterations = {"iterations": 0 if algorithm in UNTRAINED else self.iterations}
        config = base["config"] | self._identity(algorithm) | self._setting()
        config["train"] = config["train"] | self.train | iterations
        changes = {
            "algorithm": algorithm,
            "label": self.labels[algorithm],
            "started_at": start,
            "ended_at": start + 650_000,
            "train_seconds": seconds and seconds + self.random.normal(0, 5),
            "device": self.devices[number % len(self.devices)],
            **({"validation_seconds": 0.0, "iterations_per_second": 0.0} if algorithm in UNTRAINED else {}),
            "config": config,
        }
        write_json(paths.run_record(algorithm, seed), base | changes)
        write_text(paths.history(algorithm, seed), self._history(algorithm, seconds))
        write_text(paths.alignment(algorithm, seed), self._alignment(algorithm))
        if algorithm in INNER_LOOPS and self.model == MODEL:
            save_file(self._weights(seed), paths.weights(algorithm, seed))

    def _weights(self, seed: int) -> dict[str, np.ndarray]:
        """A small network of the names and kinds of shape that a training leaves."""
        random = np.random.default_rng(seed)
        sizes = [self.image_size**2, 16, 8, 8, 8, self.task.ways]
        shapes = [shape for low, high in pairwise(sizes[:-1]) for shape in ((high, low), (high,), (high,))]
        shapes += [(sizes[-1], sizes[-2]), (sizes[-1],)]
        return {
            name: random.normal(0, 0.3, shape).astype(np.float32) for name, shape in zip(NAMES, shapes, strict=True)
        }

    def _history(self, algorithm: str, seconds: float) -> str:
        lines = ["iteration,seconds,train_loss,train_accuracy,validation_loss,validation_accuracy,gradient_norm"]
        for part in range(21 if algorithm not in UNTRAINED else 0):
            left = 0.77 * np.exp(-part / 3) + self.random.uniform(0, 0.004)
            accuracy, loss = max(0.01, self.skills[algorithm] - left), 0.1 + 1.5 * left
            trained = f"{loss:.4f},{accuracy:.4f}" if part else ","
            end = self.stopped.get(algorithm, self.iterations)
            iteration, at = part * end // 20, f"{seconds * part / 20:.1f}"
            lines.append(f"{iteration},{at},{trained},{loss:.4f},{accuracy:.4f},{0.5 if part else ''}")
        return "\n".join(lines) + "\n"

    def _alignment(self, algorithm: str) -> str:
        lines = ["iteration,layer,cosine,norm_ratio"]
        layers = {"all": self.cosine, "features.0": 0.88, "features.1": 0.94, "classifier": 0.99}
        for part in range(21 if self._order(algorithm) is not None else 0):
            for layer, mean in layers.items():
                cosine = mean + self.random.uniform(-0.01, 0.01)
                lines.append(f"{part * self.iterations // 20},{layer},{cosine:.4f},{2 - cosine:.4f}")
        return "\n".join(lines) + "\n"

    def _scored(self, algorithm: str, seed: int, tasks: TaskIndices, ease: np.ndarray) -> None:
        config = EvaluateStageConfig(
            **self._identity(algorithm) | self._setting(),
            implementation="somewhere:Something",
            fast_lr=0.5,
            evaluate=EvaluationConfig(
                tasks=self.tests,
                adaptation_steps=self.adaptation_steps,
                seed=0,
                sequences=self.sequences,
                sequence_length=SEQUENCE_LENGTH,
                sequence_heads=self.heads,
                test_split=self.test_split,
            ),
            run=ComputeConfig(device="auto", threads="auto", task_chunk="auto"),
            settings={},
        )
        skill = self.skills[algorithm] + self.random.normal(0, 0.001)
        scores = self._scores(np.clip(skill + ease[tasks.characters], 0, 1), steps=1 if algorithm in ONE_STEP else 11)
        spread = np.random.default_rng(seed).uniform(0, 0.04, min(len(tasks), 10)).astype(np.float32)
        result = make_result(config, seed, "5" * 64, tasks, scores, spread)
        written, arrays = result.model_dump(mode="json"), score_arrays(tasks, scores)
        if self.sequences:
            learned = sample_sequences(
                (StreamPurpose.TESTING, 0, 2), self.sequences, SEQUENCE_LENGTH, CHARACTERS, 20, self.task
            )
            matrices = self._matrices(skill)
            written["sequences"] = summarise_sequences(learned, matrices).model_dump(mode="json")
            arrays |= sequence_arrays(learned, matrices)
        write_json(paths.result(algorithm, seed), written)
        paths.scores(algorithm, seed).parent.mkdir(parents=True, exist_ok=True)
        np.savez(paths.scores(algorithm, seed), **arrays)

    def _matrices(self, skill: float) -> SequenceAccuracies:
        """A tenth of a task is forgotten with every further task."""
        later = np.arange(SEQUENCE_LENGTH) - np.arange(SEQUENCE_LENGTH)[:, None]
        noise = self.random.normal(0, 0.01, (self.sequences, SEQUENCE_LENGTH, SEQUENCE_LENGTH))
        accuracy = np.where(later >= 0, np.clip(skill - 0.1 * later + noise, 0, 1), np.nan).astype(np.float32)
        return SequenceAccuracies(accuracy, accuracy - np.float32(0.01))

    def _scores(self, right: np.ndarray, steps: int) -> EvaluationScores:
        """right [tasks, ways]: how likely a query of that character is answered right."""
        count, ways = right.shape
        wrong = self.random.random((count, ways, self.task.queries)) > right[..., None]
        labels = np.broadcast_to(np.arange(ways)[:, None], wrong.shape)
        predictions = (labels + wrong * self.random.integers(1, ways, wrong.shape)) % ways
        accuracy = (predictions == labels).mean((1, 2)).astype(np.float32)
        by_step = accuracy[:, None] - 0.75 * np.float32(5.0) ** -np.arange(steps, dtype=np.float32) * (steps > 1)
        measures = {"loss": 3 * (1 - accuracy), "inductive_loss": 3.1 * (1 - accuracy)}
        measures["inductive_accuracy"] = accuracy - np.float32(0.01)
        return EvaluationScores(
            measures=dict.fromkeys(MEASURES, accuracy) | measures,
            predictions=predictions.reshape(count, -1).astype(np.uint8),
            by_step_accuracy=by_step.clip(0, 1),
            by_step_loss=1 - by_step,
        )


def finished(folder: Path, **options: Any) -> Finished:
    """Write a pipeline's files into a folder and read them as the report does."""
    folder.mkdir(parents=True, exist_ok=True)
    with chdir(folder):
        Pipeline(**options).write()
        config = load_stage_config(ReportStageConfig, paths.REPORT_CONFIG)
        return config, [report.read(row) for row in config.rows]


def comparison(folder: Path, **options: Any) -> dict[str, Any]:
    """What the report compares of such a pipeline."""
    return compare_runs(*finished(folder, **options), None)
