import subprocess
import sys

OWN_CODE = """
import sys
from operator import attrgetter
from metaglot.core.common.learn2learn_parts import l2l
import learn2learn

for part in ("algorithms.MAML", "algorithms.MetaSGD", "nn.Lambda", "vision.models.OmniglotFC"):
    ours, whole = (attrgetter(part)(package) for package in (l2l, learn2learn))
    files = [part.__init__.__code__.co_filename for part in (ours, whole)]
    print(ours is whole, ours.__module__ == whole.__module__, files[0] == files[1])
"""


def output(code: str) -> str:
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return process.stdout.strip() + process.stderr


def test_importing_it_prints_nothing_and_loads_no_more_than_the_parts():
    code = (
        "import sys, metaglot.core.common.learn2learn_parts; print({'torchvision', 'pandas', 'gym'} & {*sys.modules})"
    )
    assert output(code) == "set()"


def test_the_parts_are_learn2learns_own_code():
    assert output(OWN_CODE).count("False True True") == 4  # loaded twice, from the same files


def test_who_imports_learn2learn_later_has_the_whole_of_it():
    later = "import metaglot.core.common.learn2learn_parts, learn2learn; print(learn2learn.data.Taskset)"
    assert "Taskset" in output(later)


def test_what_was_imported_before_is_used():
    code = "import learn2learn; from metaglot.core.common.learn2learn_parts import l2l; print(l2l is learn2learn)"
    assert output(code).startswith("True")
