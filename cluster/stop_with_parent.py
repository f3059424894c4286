"""Run a command until it ends, or until the process that started this one is gone: then stop all that it started.

python cluster/stop_with_parent.py COMMAND ...   its starter has a pipe to its stdin; closing the pipe stops the command

A worker that was killed cannot stop its training itself. Ray also kills the children of such a worker, but not their
children. So this guard is a child of the process that is started, which only waits for it.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import NoReturn

import psutil

PATIENCE = 10.0  # seconds for a training to save a checkpoint


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: None)  # a handler; what this process starts does not inherit it
    if child := os.fork():
        end_with(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    command = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    threading.Thread(target=stop_when_alone, daemon=True).start()
    code = command.wait()
    stop_group()
    end_with(code)


def end_with(code: int) -> NoReturn:
    """End as the command did: by a signal if one ended it. At once, since a thread may still read."""
    if code < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(code)


def stop_when_alone() -> None:
    sys.stdin.buffer.read()  # ends when the starter closes the pipe, or is gone
    stop_group()
    os._exit(1)


def stop_group() -> None:
    """End the other processes of this group: first by SIGTERM, which has a training save a checkpoint."""
    end = time.monotonic() + PATIENCE
    if running_in_group():
        os.killpg(0, signal.SIGTERM)
    while running_in_group() and time.monotonic() < end:
        time.sleep(0.05)
    for process in running_in_group():
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def running_in_group() -> list[int]:
    guards = (os.getpid(), os.getppid())
    return [process for process in psutil.pids() if process not in guards and is_running_in_group(process)]


def is_running_in_group(process: int) -> bool:
    try:
        return os.getpgid(process) == os.getpgrp() and psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False


if __name__ == "__main__":
    main()
