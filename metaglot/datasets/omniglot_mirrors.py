"""Where Omniglot's archives are: the mirror that OMNIGLOT_MIRROR names, and the official address."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import requests
from urllib3.exceptions import HTTPError

from metaglot.core.common.credentials import without_credentials
from metaglot.core.common.errors import UserError
from metaglot.datasets.dataset import Unreachable
from metaglot.datasets.omniglot_zip import LARGEST_ARCHIVE
from metaglot.datasets.progress_bar import ProgressBar

ADDRESS = "https://raw.githubusercontent.com/brendenlake/omniglot/master/python"  # torchvision's
MIRROR = "OMNIGLOT_MIRROR"
TIMEOUT = (10, 30)  # seconds to connect, and without a byte
LONGEST = 1800  # seconds for one archive, so that a very slow download ends
CHUNK = 2**16

Read = Callable[[int], bytes]  # up to so many bytes; none at the end


@dataclass(frozen=True)
class FolderMirror:
    """A mirror in the file system. named: the path as the user wrote it."""

    named: str
    path: Path

    def __str__(self) -> str:
        return self.named

    @contextmanager
    def open(self, name: str) -> Iterator[tuple[Read, int | None]]:
        """Give a function that reads a file, and the file's size."""
        if not os.path.isfile(self.path / name):  # also where the path is too long to exist
            raise UserError("is not there")
        with (self.path / name).open("rb") as file:
            yield file.read, (self.path / name).stat().st_size


@dataclass(frozen=True)
class WebMirror:
    """A mirror at an address, or the official one."""

    address: str

    def __str__(self) -> str:
        """The address without credentials."""
        return without_credentials(self.address)

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
    """Request a file; returns once the answer begins."""
    try:
        return requests.get(address, stream=True, timeout=TIMEOUT, headers={"Accept-Encoding": "identity"})
    except requests.exceptions.SSLError as error:
        raise UserError(f"has no valid certificate ({reason(error)})") from None
    except (requests.ConnectionError, requests.Timeout) as error:
        raise Unreachable(f"does not answer ({reason(error)})") from None
    except (requests.RequestException, ValueError) as error:
        raise UserError(f"cannot be asked for ({type(error).__name__})") from None


def reason(error: Exception) -> str:
    """The last part of urllib3's message, such as `Connection refused`."""
    cause = error.args[0] if error.args else error
    return str(getattr(cause, "reason", cause)).rpartition(": ")[2]


Mirror = FolderMirror | WebMirror


def official() -> WebMirror:
    return WebMirror(ADDRESS)


def list_sources(root: Path) -> list[Mirror]:
    """List where to look, in this order: the mirror, if one is set, then the official address."""
    named = os.environ.get(MIRROR)
    return [*([mirror_at(named, root)] if named else []), official()]


def mirror_at(named: str, root: Path) -> Mirror:
    """Return the mirror at an address, or in a folder, which may be relative to the repository's root."""
    if "://" not in named:
        return FolderMirror(named, root / os.path.expanduser(named))
    try:
        parts = urlsplit(named)
    except ValueError as error:
        raise UserError(f"{MIRROR} is not a valid address: {error}") from None
    if parts.scheme == "file":
        return FolderMirror(named, Path(url2pathname(parts.path)))
    if parts.scheme in ("http", "https"):
        return WebMirror(named.rstrip("/"))
    raise UserError(f"{MIRROR}={named} is neither a folder nor an http, https or file address")


@contextmanager
def errors_name(source: Mirror, name: str) -> Iterator[None]:
    """Let every UserError begin with the file that it is about."""
    try:
        yield
    except UserError as error:
        raise type(error)(f"{source}/{name} {error}") from None


def copy_file(source: Mirror, to: Path, progress: ProgressBar) -> None:
    """Copy the file of that name from a source; raises UserError if it is too large or too slow."""
    end = time.monotonic() + LONGEST
    with source.open(to.name) as (read, size), to.open("wb") as file:
        task = progress.add_task(to.name, total=size)
        while chunk := read(CHUNK):
            file.write(chunk)
            progress.advance(task, len(chunk))
            if file.tell() > LARGEST_ARCHIVE:
                raise UserError(f"is larger than {LARGEST_ARCHIVE} bytes")
            if time.monotonic() > end:
                raise UserError(f"is not here after {LONGEST} seconds")
