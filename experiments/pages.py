"""README and the pages of results: text written by hand, with generated blocks.

A block is between `<!-- table: NAME -->` and `<!-- /table -->`. NAME is an experiment's, that with `/answer`,
or one of `results`, `verdicts`, `conclusions` and `open`.
"""

import re
from pathlib import Path

from experiments.conclusions import conclusions, open_questions
from experiments.declared import FINDINGS
from experiments.load_record import ExperimentRecord, load_records
from experiments.readme import answer_block, results_block, verdict_lines
from experiments.tables import experiment_block
from metaglot.core.common.atomic_files import read_json, read_text
from metaglot.core.common.errors import UserError
from stages.support import paths

PAGES = (Path("README.md"), Path("docs/findings.md"), Path("docs/benchmarks.md"))
OF_ALL = {"verdicts": verdict_lines, "conclusions": conclusions, "open": open_questions}
BLOCK = re.compile(r"(<!-- table: (\S+) -->\n).*?(<!-- /table -->)", re.DOTALL)
OPENING = re.compile(r"<!-- table: (\S+) -->")


def fill_page(page: Path, findings: Path = FINDINGS) -> str:
    """A page's text with every block generated again."""
    text, known = read_text(page), load_records(findings)
    if OPENING.findall(text) != [name for _, name, _ in BLOCK.findall(text)]:
        raise UserError(f"{page}: a `<!-- table: NAME -->` has no `<!-- /table -->`")
    return BLOCK.sub(lambda match: f"{match[1]}\n{block_content(page, match[2], known)}\n\n{match[3]}", text)


def block_content(page: Path, name: str, known: dict[str, ExperimentRecord]) -> str:
    if name == "results":
        return results_block(read_json(paths.COMPARISON))
    if name in OF_ALL:
        return OF_ALL[name](known)
    experiment, _, part = name.partition("/")
    if experiment not in known or part not in ("", "answer"):
        raise UserError(f"{page}: <!-- table: {name} --> does not name an experiment")
    return answer_block(known[experiment]) if part else experiment_block(known[experiment], known)
