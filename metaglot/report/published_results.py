"""What others published on Omniglot, and by which protocol: without it no two numbers compare."""

from typing import Literal, NamedTuple

CELLS = ("5-way 1-shot", "5-way 5-shot", "20-way 1-shot", "20-way 5-shot")


Mode = Literal["transductive", "inductive"]


class PublishedResult(NamedTuple):
    """Accuracies in percent as printed, by cell of `CELLS`; empty where none was printed.

    mode: whether a task's queries shared batch statistics; None where that is not known.
    """

    method: str
    network: str
    accuracies: tuple[str, str, str, str]
    source: str
    mode: Mode | None = None


class Spread(NamedTuple):
    """Results whose ± means the same thing: no other ± may stand in their columns."""

    meaning: str
    results: list[PublishedResult]


class Protocol(NamedTuple):
    """How a source came by its numbers."""

    source: str
    split: str
    rotations: str
    tests: str
    batch_norm: str
    inner: str
    outer: str


FINN = "Finn et al. 2017, table 1"
NICHOL = "Nichol et al. 2018, table 2"
FOUR_CONV = "4 convolutions"
NOTHING = ""
TRANS: Mode = "transductive"

PUBLISHED = [
    Spread(
        "± is a 95% interval; MAML's over 600 test tasks",
        [
            PublishedResult(
                "MAML", "fully connected, 256-128-64-64", ("89.7 ± 1.1", "97.5 ± 0.6", NOTHING, NOTHING), FINN, TRANS
            ),
            PublishedResult("MAML", FOUR_CONV, ("98.7 ± 0.4", "99.9 ± 0.1", "95.8 ± 0.3", "98.9 ± 0.2"), FINN, TRANS),
            PublishedResult(
                "iMAML, Hessian-free",
                FOUR_CONV,
                ("99.50 ± 0.26", "99.74 ± 0.11", "96.18 ± 0.36", "99.14 ± 0.1"),
                "Rajeswaran et al. 2019",
            ),
        ],
    ),
    Spread(
        "± is a confidence interval",
        [PublishedResult("Meta-SGD", FOUR_CONV, ("99.53 ± 0.26", "99.93 ± 0.09", "95.9", "99.0"), "Li et al. 2017")],
    ),
    Spread(
        "± is a standard deviation over ten draws of 32 test tasks",
        [PublishedResult("FOMAML", "fully connected", (NOTHING, "97.50 ± 0.47", NOTHING, NOTHING), "PaddleFSL")],
    ),
    Spread(
        "± is a standard deviation over three initialisations",
        [
            PublishedResult(
                "ANIL", FOUR_CONV, (NOTHING, NOTHING, "96.2 ± 0.5", "98.0 ± 0.3"), "Raghu et al. 2020, table 2"
            )
        ],
    ),
    Spread(
        "± as printed, its meaning not stated there",
        [
            PublishedResult(
                "FOMAML, transductive",
                FOUR_CONV,
                ("98.3 ± 0.5", "99.2 ± 0.2", "89.4 ± 0.5", "97.9 ± 0.1"),
                NICHOL,
                TRANS,
            ),
            PublishedResult(
                "Reptile",
                FOUR_CONV,
                ("95.39 ± 0.09", "98.90 ± 0.10", "88.14 ± 0.15", "96.65 ± 0.33"),
                NICHOL,
                "inductive",
            ),
            PublishedResult(
                "Reptile, transductive",
                FOUR_CONV,
                ("97.68 ± 0.04", "99.48 ± 0.06", "89.43 ± 0.14", "97.12 ± 0.32"),
                NICHOL,
                TRANS,
            ),
        ],
    ),
    Spread(
        "no ± printed",
        [
            PublishedResult(
                "MANN", "no convolutions", ("82.8", "94.9", NOTHING, NOTHING), "Santoro et al. 2016, as in MAML"
            ),
            PublishedResult("ProtoNet", FOUR_CONV, ("98.8", "99.7", "96.0", "98.9"), "Snell et al. 2017", "inductive"),
            PublishedResult("MAML++", FOUR_CONV, ("99.47", "99.93", "97.65", "99.33"), "Antoniou et al. 2019"),
            PublishedResult(
                "MAML in learn2learn", "fully connected", ("88.9", NOTHING, NOTHING, NOTHING), "its README", TRANS
            ),
            PublishedResult("MAML in learn2learn", FOUR_CONV, ("99.1", NOTHING, NOTHING, NOTHING), "its README", TRANS),
            PublishedResult(
                "FOMAML",
                "fully connected, 10,000 iterations",
                (NOTHING, "96.99", NOTHING, NOTHING),
                "the original study",
                TRANS,
            ),
            PublishedResult(
                "MAML",
                "fully connected, 10,000 iterations",
                (NOTHING, "95.87", NOTHING, NOTHING),
                "the original study",
                TRANS,
            ),
        ],
    ),
]

PROTOCOLS = [
    Protocol(
        "MAML",
        "1100 characters to train on, 100 to validate, 423 to test, at random",
        "each character of a task by a quarter turn of its own, in every split",
        "600, with as many queries as shots",
        "a batch's own statistics: queries see each other",
        "5-way: 1 step of 0.4 in training, 3 at test; 20-way: 5 of 0.1. The rate is on the loss summed over the "
        "examples and divided by the shots: 2.0 on the mean cross-entropy in either case",
        "Adam at 0.001; meta-batches of 32 tasks (20-way: 16), 60,000 of them",
    ),
    Protocol(
        "learn2learn's example, the original study",
        "the same counts, drawn anew in each process",
        "meant as MAML's; version 0.2.0 turns all characters of a task alike",
        "32, with as many queries as shots",
        "a batch's own statistics; scale and shift adapt",
        "1 step in training and test. Rate 0.5 on the mean loss",
        "Adam at 0.003; meta-batches of 32 tasks, in the original study 10,000 of them",
    ),
    Protocol(
        "Reptile",
        "1200 to train on, 423 to test, at random",
        "in training only",
        "10,000, with one query a character",
        "both ways reported",
        "5 steps in training (20-way: 10), 50 at test, by Adam at 0.001 without momentum",
        "not known here",
    ),
    Protocol(
        "ProtoNet",
        "Vinyals et al.'s 1028, 172 and 423",
        "in every split",
        "1000, with 15 queries a character",
        "running statistics: no query sees another",
        "nothing adapts",
        "Adam at 0.001; training episodes have 60 ways",
    ),
]

# Of these the numbers are quoted, and little or nothing of how they came about.
LITTLE_KNOWN = {
    "PaddleFSL": "A library's own run: its ± is over ten draws of 32 test tasks. The rest is not known here.",
    "ANIL": "Its ± is over three initialisations; the head alone adapts. The rest is not known here.",
    "Meta-SGD": "A rate is learned for every weight. Its protocol is not known here.",
    "MAML++": "Its protocol is not known here; its 5-way 5-shot number is quoted as 99.85 elsewhere.",
    "iMAML": "Its public code splits the characters with one seed for training and another for testing: 310 of its 423 "
    "test characters were trained on. The rest is not known here.",
}
