"""Where Omniglot's archives can be had: the mirror that OMNIGLOT_MIRROR names, and the official addresses."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import requests
from urllib3.exceptions import HTTPError

from metaglot.core.common.errors import UserError
from metaglot.datasets.omniglot import ADDRESS
from stages.support import paths

MIRROR = "OMNIGLOT_MIRROR"
TIMEOUT = (10, 30)  # seconds to connect, and without a byte

Read = Callable[[int], bytes]  # up to so many bytes; none at the end


class Unreachable(UserError):
    """A source that does not answer at all, as opposed to one that answers something wrong."""


@dataclass(frozen=True)
class FolderMirror:
    """A mirror in the file system. named: as the user wrote it."""

    named: str
    path: Path

    def __str__(self) -> str:
        return self.named

    @contextmanager
    def open(self, name: str) -> Iterator[tuple[Read, int | None]]:
        """Give a function that reads a file, and the file's size."""
        if not (self.path / name).is_file():
            raise UserError("is not there")
        with (self.path / name).open("rb") as file:
            yield file.read, (self.path / name).stat().st_size


@dataclass(frozen=True)
class WebMirror:
    """A mirror at an address, or the official one."""

    address: str

    def __str__(self) -> str:
        """The address without a password that may stand in it."""
        parts = urlsplit(self.address)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    @contextmanager
    def open(self, name: str) -> Iterator[tuple[Read, int | None]]:
        """Give a function that reads a file, and the size that the server declares, if it does."""
        with answer(f"{self.address}/{name}") as response:
            if response.status_code != 200:
                raise UserError(f"answers {response.status_code} {response.reason}")
            try:
                # read1 returns what has arrived: a server that trickles cannot hold a read up for longer
                yield (
                    lambda size: response.raw.read1(size, decode_content=False),
                    response.raw.length_remaining,
                )
            except HTTPError as error:
                raise UserError(f"broke off: {error}") from None


def answer(address: str) -> requests.Response:
    """Ask for a file, and get the beginning of an answer."""
    try:
        return requests.get(address, stream=True, timeout=TIMEOUT, headers={"Accept-Encoding": "identity"})
    except requests.exceptions.SSLError as error:
        raise UserError(f"has no valid certificate ({reason(error)})") from None
    except (requests.ConnectionError, requests.Timeout) as error:
        raise Unreachable(f"does not answer ({reason(error)})") from None
    except (requests.RequestException, ValueError) as error:
        raise UserError(f"cannot be asked for ({type(error).__name__})") from None


def reason(error: Exception) -> str:
    """The end of urllib3's long story: `Connection refused`."""
    cause = error.args[0] if error.args else error
    return str(getattr(cause, "reason", cause)).rpartition(": ")[2]


def list_sources() -> list[FolderMirror | WebMirror]:
    """List where to look, in this order: the mirror where one is set, then the official addresses."""
    mirror = os.environ.get(MIRROR)
    return [*([mirror_at(mirror)] if mirror else []), WebMirror(ADDRESS)]


def mirror_at(named: str) -> FolderMirror | WebMirror:
    """Tell an address from a folder, which may be relative to the repository."""
    if "://" not in named:
        return FolderMirror(named, paths.root() / Path(named).expanduser())
    parts = urlsplit(named)
    if parts.scheme == "file":
        return FolderMirror(named, Path(url2pathname(parts.path)))
    if parts.scheme in ("http", "https"):
        return WebMirror(named.rstrip("/"))
    raise UserError(f"{MIRROR}={named} is neither a folder nor an http, https or file address")
