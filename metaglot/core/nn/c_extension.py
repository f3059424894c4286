"""C that is compiled on the machine that it runs on, once, for the few loops for which PyTorch has no operation."""

import ctypes
import functools
import hashlib
import os
import subprocess
import sysconfig
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor

from metaglot.core.common.user_cache import user_cache

FLAGS = ("-O3", "-fno-math-errno", "-fno-trapping-math", "-fopenmp", "-fPIC", "-shared")
REALS = {torch.float32: "float", torch.float64: "double"}
PROCESSORS = {"AVX512": ("-march=x86-64-v4",), "AVX2": ("-march=x86-64-v3",)}  # as PyTorch calls what it found


@functools.cache
def load_functions(source: Path, dtype: torch.dtype, **constants: int) -> ctypes.CDLL | None:
    """The functions of a C file for numbers of this type, its REAL, with these constants; None where there are none."""
    if dtype not in REALS:
        return None
    return load_library(source, f"-DREAL={REALS[dtype]}", *(f"-D{name}={value}" for name, value in constants.items()))


def call_c(library: ctypes.CDLL | None, name: str, *arguments: Tensor | int | float | None) -> int:
    """Call a C function with pointers to tensors' first elements, NULL, `long` and `double`; its int, if any."""
    return getattr(library, name)(*map(_in_c, arguments))


def _in_c(argument: Tensor | int | float | None) -> ctypes.c_void_p | ctypes.c_long | ctypes.c_double:
    if argument is None or isinstance(argument, Tensor):
        return ctypes.c_void_p(argument if argument is None else argument.data_ptr())
    return ctypes.c_long(argument) if isinstance(argument, int) else ctypes.c_double(argument)


def load_library(source: Path, *defines: str) -> ctypes.CDLL | None:
    """The functions of a C file; None, and a warning, where it cannot be compiled.

    It lies in the user's cache. Its name has a digest of the source, of the headers beside it and of the command.
    """
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()
    command = [*compiler, *FLAGS, *PROCESSORS.get(torch.backends.cpu.get_cpu_capability(), ()), *defines]
    content = b"".join(path.read_bytes() for path in (source, *sorted(source.parent.glob("*.h"))))
    digest = hashlib.sha256(content + repr(command).encode()).hexdigest()
    try:
        library = user_cache() / f"{source.stem}-{digest[:16]}.so"
        with suppress(OSError):
            return ctypes.CDLL(str(library))
        compile_library([*command, str(source), "-lm"], library)
        return ctypes.CDLL(str(library))
    except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
        instead = "slower operations of PyTorch's take its place"
        warnings.warn(
            f"{source.parent.name}/{source.name} cannot be compiled ({compiler_error(error)}): {instead}", stacklevel=2
        )
        return None


def compile_library(command: list[str], library: Path) -> None:
    """Run the compiler: the library is whole or not there, whoever else builds the same."""
    library.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:
        compiled = Path(folder) / library.name
        subprocess.run([*command, "-o", str(compiled)], capture_output=True, text=True, check=True)
        compiled.replace(library)


def compiler_error(error: Exception) -> str:
    """The first line of what the compiler says, or why it did not run."""
    said = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
    return (said.strip().splitlines() or ["no reason given"])[0]
