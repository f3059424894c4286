"""What others published on Omniglot, and by which protocol: without it no two numbers compare."""

from typing import NamedTuple

CELLS = ("5-way 1-shot", "5-way 5-shot", "20-way 1-shot", "20-way 5-shot")


class Published(NamedTuple):
    """Accuracies in percent as printed, by cell of `CELLS`; empty where none was printed."""

    method: str
    network: str
    accuracies: tuple[str, str, str, str]
    source: str


class Spread(NamedTuple):
    """Results whose ± means the same thing: no other ± may stand in their columns."""

    meaning: str
    results: list[Published]


class Protocol(NamedTuple):
    """How a source came by its numbers."""

    source: str
    split: str
    rotations: str
    tests: str
    batch_norm: str
    inner: str


FINN = "Finn et al. 2017, table 1"
NICHOL = "Nichol et al. 2018, table 2"
FOUR_CONV = "4 convolutions"
NOTHING = ""

PUBLISHED = [
    Spread(
        "± is a 95% interval; MAML's over 600 test tasks",
        [
            Published("MAML", "fully connected, 256-128-64-64", ("89.7 ± 1.1", "97.5 ± 0.6", NOTHING, NOTHING), FINN),
            Published("MAML", FOUR_CONV, ("98.7 ± 0.4", "99.9 ± 0.1", "95.8 ± 0.3", "98.9 ± 0.2"), FINN),
            Published(
                "iMAML, Hessian-free",
                FOUR_CONV,
                ("99.50 ± 0.26", "99.74 ± 0.11", "96.18 ± 0.36", "99.14 ± 0.1"),
                "Rajeswaran et al. 2019",
            ),
        ],
    ),
    Spread(
        "± is a confidence interval",
        [Published("Meta-SGD", FOUR_CONV, ("99.53 ± 0.26", "99.93 ± 0.09", "95.9", "99.0"), "Li et al. 2017")],
    ),
    Spread(
        "± is a standard deviation over ten draws of 32 test tasks",
        [Published("FOMAML", "fully connected", (NOTHING, "97.50 ± 0.47", NOTHING, NOTHING), "PaddleFSL")],
    ),
    Spread(
        "± is a standard deviation over three initialisations",
        [Published("ANIL", FOUR_CONV, (NOTHING, NOTHING, "96.2 ± 0.5", "98.0 ± 0.3"), "Raghu et al. 2020, table 2")],
    ),
    Spread(
        "± as printed, its meaning not stated there",
        [
            Published(
                "FOMAML, transductive", FOUR_CONV, ("98.3 ± 0.5", "99.2 ± 0.2", "89.4 ± 0.5", "97.9 ± 0.1"), NICHOL
            ),
            Published("Reptile", FOUR_CONV, ("95.39 ± 0.09", "98.90 ± 0.10", "88.14 ± 0.15", "96.65 ± 0.33"), NICHOL),
            Published(
                "Reptile, transductive",
                FOUR_CONV,
                ("97.68 ± 0.04", "99.48 ± 0.06", "89.43 ± 0.14", "97.12 ± 0.32"),
                NICHOL,
            ),
        ],
    ),
    Spread(
        "no ± printed",
        [
            Published("MANN", "no convolutions", ("82.8", "94.9", NOTHING, NOTHING), "Santoro et al. 2016, as in MAML"),
            Published("ProtoNet", FOUR_CONV, ("98.8", "99.7", "96.0", "98.9"), "Snell et al. 2017"),
            Published("MAML++", FOUR_CONV, ("99.47", "99.93", "97.65", "99.33"), "Antoniou et al. 2019"),
            Published("MAML in learn2learn", "fully connected", ("88.9", NOTHING, NOTHING, NOTHING), "its README"),
            Published("MAML in learn2learn", FOUR_CONV, ("99.1", NOTHING, NOTHING, NOTHING), "its README"),
            Published(
                "FOMAML", "fully connected, 10,000 iterations", (NOTHING, "96.99", NOTHING, NOTHING), "the write-up"
            ),
            Published(
                "MAML", "fully connected, 10,000 iterations", (NOTHING, "95.87", NOTHING, NOTHING), "the write-up"
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
        "5-way: 1 step in training, 3 at test; 20-way: 5. Rate 0.4 on a loss summed over a character's examples",
    ),
    Protocol(
        "learn2learn's example, the write-up",
        "the same counts, drawn anew in each process",
        "meant as MAML's; version 0.2.0 turns all characters of a task alike",
        "32, with as many queries as shots",
        "a batch's own statistics; scale and shift adapt",
        "1 step in training and test. Rate 0.5 on the mean loss",
    ),
    Protocol(
        "Reptile",
        "1200 to train on, 423 to test, at random",
        "in training only",
        "10,000, with one query a character",
        "both ways reported",
        "5 steps in training (20-way: 10), 50 at test, by Adam",
    ),
    Protocol(
        "ProtoNet",
        "Vinyals et al.'s 1028, 172 and 423",
        "in every split",
        "1000, with 15 queries a character",
        "running statistics: no query sees another",
        "nothing adapts",
    ),
]
