"""A mirror over HTTP, on this machine, that can also misbehave."""

import socket
import threading
import time
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest


class Mirror(SimpleHTTPRequestHandler):
    """Serve a folder's files under /ok/, and under other names do what those say."""

    def do_GET(self) -> None:
        fault, _, name = self.path.strip("/").partition("/")
        if fault == "ok":
            self.path = f"/{name}"
            return super().do_GET()
        if fault == "page":
            return self.answer(b"<!DOCTYPE html><title>Sign in to this network</title>")
        if fault == "redirect":
            self.send_response(302)
            self.send_header("Location", f"/ok/{name}")
            return self.end_headers()
        content = (Path(self.directory) / name).read_bytes() if fault in ("short", "stall", "trickle") else b""
        if fault == "short":
            return self.answer(content[: len(content) // 2], len(content))
        if fault == "stall":
            self.answer(content[:100], len(content))
            return time.sleep(3)
        if fault == "trickle":
            return self.trickle(content)
        if fault == "endless":
            return self.endless()
        self.send_error(503 if fault == "busy" else 404)

    def answer(self, content: bytes, length: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(length or len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def trickle(self, content: bytes) -> None:
        self.answer(b"", len(content))
        for byte in content[:50]:
            self.wfile.write(bytes([byte]))
            time.sleep(0.1)

    def endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(40):
            self.wfile.write(bytes(2**20))

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            pass  # whoever asked has heard enough

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the test's output quiet."""


@pytest.fixture
def mirror_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server over tmp_path/mirror."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    folder = tmp_path / "mirror"
    folder.mkdir(exist_ok=True)

    def handler(*args: Any) -> Mirror:
        return Mirror(*args, directory=str(folder))

    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def silent_port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A port that is taken, so that nobody else takes it, and not listened to."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
