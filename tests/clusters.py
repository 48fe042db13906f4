"""A Dask scheduler and two workers on this machine, for the tests, and waiting for what other processes do."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 90.0
# The address, and the processes: the scheduler and two workers.
Cluster = tuple[str, list[subprocess.Popen[str]]]


def wait_for(condition: Callable[[], Any], process: subprocess.Popen[str] | None = None) -> None:
    """Return as soon as a condition holds, or a process has ended; fail where neither comes."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if process is not None and process.poll() is not None:
            return
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.001)


@contextmanager
def cluster_in(folder: Path) -> Iterator[Cluster]:
    """Processes that use a folder for what they write, and end with the block."""
    distributed = pytest.importorskip("distributed")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    place = folder / "scheduler.json"
    quiet: Mapping[str, Any] = {
        "cwd": folder,
        "env": environment,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "text": True,
    }
    with ExitStack() as stack:

        def serve(*words: object) -> subprocess.Popen[str]:
            process = subprocess.Popen([sys.executable, "-m", *map(str, words)], **quiet)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        loopback = ("--host", "127.0.0.1", "--no-dashboard")
        scheduler = serve("distributed.cli.dask_scheduler", *loopback, "--port", 0, "--scheduler-file", place)
        wait_for(lambda: place.is_file() and place.read_text().strip().endswith("}"), scheduler)
        address = json.loads(place.read_text())["address"]
        two = [
            serve("distributed.cli.dask_worker", address, *loopback, "--nthreads", 1, "--no-nanny") for _ in range(2)
        ]
        with distributed.Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=PATIENCE)
        yield address, [scheduler, *two]
