"""Check, before anything is downloaded, that this machine and folder can run metaglot; an error is one line.

It runs on any Python, 2 included, because it has to refuse the old ones.
"""

import os
import subprocess
import sys
import sysconfig
import tempfile

OLDEST, NEWEST = (3, 11), (3, 14)
DEBIAN = "on Debian or Ubuntu: apt install "


def find_error():
    """What is missing, in one line, or None."""
    return check_version() or check_venv() or check_headers() or check_compiler() or check_repository()


def check_version():
    found = sys.version_info[:2]
    if OLDEST <= found <= NEWEST:
        return None
    return "{0} is Python {1}.{2}; metaglot runs on Python 3.11 to 3.14: make PYTHON=python3.11".format(
        sys.executable, *found
    )


def check_venv():
    try:
        import ensurepip  # noqa: F401  (on Debian it comes with python3-venv)
        import venv  # noqa: F401
    except ImportError:
        package = "python{0}.{1}-venv".format(*sys.version_info)
        return "{0} cannot make a virtual environment; {1}{2}".format(sys.executable, DEBIAN, package)
    return None


def check_headers():
    header = os.path.join(sysconfig.get_paths()["include"], "Python.h")
    if os.path.exists(header):
        return None
    package = "python{0}.{1}-dev".format(*sys.version_info)
    return "Python's headers are missing (no {0}), and learn2learn is built from C; {1}{2}".format(
        header, DEBIAN, package
    )


def check_compiler():
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
        reason = error.output.decode("utf-8", "replace").strip().splitlines()
        return "the C compiler does not work ({0}: {1}); {2}gcc libc6-dev".format(
            compiler, reason[0] if reason else "no reason given", DEBIAN
        )
    finally:
        for name in os.listdir(folder):
            os.remove(os.path.join(folder, name))
        os.rmdir(folder)
    return None


def check_repository():
    """DVC takes a folder only if it is the top of a git repository; a downloaded archive has none."""
    try:
        top = subprocess.check_output(["git", "rev-parse", "--show-toplevel"], stderr=subprocess.STDOUT)
        if os.path.realpath(top.decode().strip()) == os.path.realpath("."):
            return None
        reason = "the repository is " + top.decode().strip()
    except OSError:
        return "there is no git, and DVC needs it; {0}git".format(DEBIAN)
    except subprocess.CalledProcessError as error:
        reason = error.output.decode("utf-8", "replace").strip().splitlines()[0]
        if "dubious ownership" in reason:
            trust = "git config --global --add safe.directory " + os.path.realpath(".")
            return "this folder is another user's, and git does not trust it: run `{0}`".format(trust)
    return (
        "this folder is no git repository of its own ({0}), and DVC needs one: use `git clone`, "
        "or run `git init && git add . && git commit -m metaglot` here first".format(reason)
    )


if __name__ == "__main__":
    found = find_error()
    sys.exit("error: " + found if found else 0)
