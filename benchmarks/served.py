"""A Streamlit server on a free port of this machine, and Chromium, for benchmarks and tests."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

ROOT = Path(__file__).resolve().parents[1]
LOOPBACK = "127.0.0.1"
PATIENCE = 120.0
# What the Makefile sets for `make app` and `make class`.
HEAPS = {"MALLOC_ARENA_MAX": "2"}
# Keeps Chromium from looking up hosts of its own while we list what a page asks for.
QUIET = "--disable-gpu --disable-background-networking --disable-component-update --disable-sync --disable-quic --no-first-run"


def chromium() -> str:
    """The path of an installed Chromium, or an error that says what to do."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        raise SystemExit("Chromium is needed: install it, or set CHROMIUM to its path")
    return found


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(words: Sequence[str], port: int, where: Path = ROOT) -> Iterator["subprocess.Popen[bytes]"]:
    """A server started by `python WORDS` in a folder, from when it is healthy until the block ends."""
    # A file and not a pipe, which would fill and stop a server that nobody reads.
    with TemporaryFile() as said:
        server = subprocess.Popen(
            [sys.executable, *words], cwd=where, stdout=said, stderr=subprocess.STDOUT, env=os.environ | HEAPS
        )
        try:
            deadline = time.monotonic() + PATIENCE
            while not is_healthy(port):
                if server.poll() is not None or time.monotonic() > deadline:
                    said.seek(0)
                    raise RuntimeError(f"the server did not start: {said.read().decode(errors='replace')}")
                time.sleep(0.05)  # nothing announces that a server listens
            yield server
        finally:
            server.terminate()
            try:
                server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


@contextmanager
def app_served(script: Path | str = "app.py", where: Path = ROOT) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """A script as `make app` serves it: its address and its process; elsewhere, without our configuration."""
    port = free_port()
    options = (
        f"--server.port {port} --server.address {LOOPBACK} --server.headless true --browser.gatherUsageStats false"
    )
    with served(["-m", "streamlit", "run", str(script), *options.split()], port, where) as server:
        yield f"http://{LOOPBACK}:{port}", server


def is_healthy(port: int) -> bool:
    """Whether Streamlit answers."""
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/_stcore/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
