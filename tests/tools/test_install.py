"""`.venv` is made, repaired and brought up to date by whichever target comes first."""

import os
import subprocess
from pathlib import Path

import pytest
from workshop import STAMP, maker

pytestmark = pytest.mark.slow


def drawing(workshop: Path) -> str:
    """The version that is installed, as pip's record of it says."""
    (info,) = workshop.glob(".venv/lib/python3*/site-packages/drawing-*.dist-info")
    return info.name.split("-")[1].removesuffix(".dist")


def test_a_missing_venv_is_made_in_a_few_lines_and_then_left_alone(made: Path) -> None:
    assert len((made.parent / "output").read_text().splitlines()) < 10
    assert drawing(made) == "1.0"
    assert maker(made)("-q", STAMP).returncode == 0


def test_its_packages_are_compiled(made: Path) -> None:
    assert [*made.glob(".venv/lib/python3*/site-packages/**/drawing*.pyc")]


def test_what_runs_in_the_venv_sends_nothing_home(made: Path) -> None:
    command = [made / ".venv/bin/python", "-c", "import os; print(os.environ['MLFLOW_DISABLE_TELEMETRY'])"]
    assert subprocess.run(command, capture_output=True, text=True, env={}).stdout == "true\n"


def test_a_program_of_the_venv_finds_its_python_without_an_activated_environment(made: Path) -> None:
    code = "import subprocess; print(subprocess.getoutput('python -c \"import sys; print(sys.executable)\"'))"
    for path in ("", "/usr/bin:/bin", f"/usr/bin:{made}/.venv/bin"):
        environment = {"PATH": path} if path else {}
        done = subprocess.run([made / ".venv/bin/python", "-c", code], capture_output=True, text=True, env=environment)
        assert done.stdout.strip() == str(made / ".venv/bin/python")


def test_a_changed_lock_is_followed_in_place(used: Path) -> None:
    (used / ".venv/kept").touch()
    (used / "requirements.lock").write_text("drawing==1.1\n")
    assert maker(used)(STAMP).returncode == 0
    assert drawing(used) == "1.1" and (used / ".venv/kept").exists()


def test_a_venv_whose_python_is_gone_is_made_afresh(used: Path) -> None:
    python = used / ".venv/bin/python"
    python.unlink()
    os.symlink(used / "nowhere", python)
    assert maker(used)(STAMP).returncode == 0
    assert subprocess.run([python, "-c", "import drawing"]).returncode == 0


def test_a_failed_install_is_one_line_and_what_it_left_is_made_afresh_without_a_second_try(used: Path) -> None:
    (used / "requirements.lock").write_text("drawing==9.9\n")
    failed = maker(used)(STAMP)
    error, makes_own = failed.stderr.splitlines()
    assert error.startswith("error: packages of requirements.lock") and "drawing==9.9" in error
    assert ".metaglot/install.log" in error and makes_own.startswith("make: ***")
    assert "No matching distribution" in (used / ".metaglot/install.log").read_text()
    assert not (used / STAMP).exists()

    (used / ".venv/half").touch()
    (used / "requirements.lock").write_text("drawing==1.0\n")
    assert maker(used)(STAMP).returncode == 0
    assert drawing(used) == "1.0" and not (used / ".venv/half").exists()
