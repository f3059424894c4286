"""Refuse, in one line and before anything is downloaded, a machine that cannot build the environment.

Written for any Python, two included, since it is there to refuse the old ones.
"""

import os
import subprocess
import sys
import sysconfig
import tempfile

OLDEST, NEWEST = (3, 11), (3, 14)
DEBIAN = "on Debian or Ubuntu: apt install "


def refusal():
    """What this Python, or this machine, lacks: one line; None where nothing does."""
    return old_or_new() or without_venv() or without_headers() or without_compiler()


def old_or_new():
    found = sys.version_info[:2]
    if OLDEST <= found <= NEWEST:
        return None
    return "{0} is Python {1}.{2}; metaglot runs on Python 3.11 to 3.14: make PYTHON=python3.11".format(
        sys.executable, *found
    )


def without_venv():
    try:
        import ensurepip  # noqa: F401  (Debian leaves it out of python3 where python3-venv is not installed)
        import venv  # noqa: F401
    except ImportError:
        package = "python{0}.{1}-venv".format(*sys.version_info)
        return "{0} cannot make a virtual environment; {1}{2}".format(sys.executable, DEBIAN, package)
    return None


def without_headers():
    header = os.path.join(sysconfig.get_paths()["include"], "Python.h")
    if os.path.exists(header):
        return None
    package = "python{0}.{1}-dev".format(*sys.version_info)
    return "Python's headers are missing (no {0}), and learn2learn is built from C; {1}{2}".format(
        header, DEBIAN, package
    )


def without_compiler():
    """Compile one line against Python.h with the compiler that this Python builds extensions with."""
    compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    folder = tempfile.mkdtemp()
    source, include = os.path.join(folder, "try.c"), sysconfig.get_paths()["include"]
    try:
        with open(source, "w") as file:
            file.write("#include <Python.h>\n")
        subprocess.check_output(
            compiler.split() + ["-I" + include, "-c", source, "-o", source + ".o"], stderr=subprocess.STDOUT
        )
    except OSError:
        return "there is no C compiler ({0}), and learn2learn is built from C; {1}gcc libc6-dev".format(
            compiler.split()[0], DEBIAN
        )
    except subprocess.CalledProcessError as error:
        reason = error.output.decode(errors="replace").strip().splitlines()
        return "the C compiler does not work ({0}: {1}); {2}gcc libc6-dev".format(
            compiler, reason[0] if reason else "no reason given", DEBIAN
        )
    finally:
        for name in os.listdir(folder):
            os.remove(os.path.join(folder, name))
        os.rmdir(folder)
    return None


if __name__ == "__main__":
    lacking = refusal()
    sys.exit("error: " + lacking if lacking else 0)
