"""Work that is spread: order, failures, and interruptions at any moment."""

import os
import signal
import subprocess
import sys
from concurrent.futures import CancelledError, Executor, Future
from pathlib import Path
from threading import get_native_id
from typing import Any

import pytest

from sim import parallel
from sim.parallel import AHEAD, OnCluster, spread, uninterrupted, workers

ROOT = Path(__file__).resolve().parent.parent


def halved(task: int) -> float:
    return task / 2


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_task_comes_once_with_its_result(jobs: int) -> None:
    with workers(jobs, in_threads=True) as executor:
        found = sorted(spread(executor, halved, range(3 * AHEAD)))
    assert found == [(k, k / 2) for k in range(3 * AHEAD)]


def test_tasks_are_taken_as_they_are_needed() -> None:
    taken: list[int] = []
    tasks = (taken.append(k) or k for k in range(1000))  # type: ignore[func-returns-value]
    with workers(2, in_threads=True) as executor:
        work = spread(executor, halved, tasks)
        next(work)
        assert len(taken) == AHEAD + 1
        work.close()  # type: ignore[attr-defined]
    assert len(taken) == AHEAD + 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can slow down one thread alone")
def test_threads_in_the_background_give_way_and_nobody_else_does() -> None:
    def niceness(_: object) -> int:
        return os.getpriority(os.PRIO_PROCESS, get_native_id())

    here = niceness(None)
    with workers(2, in_threads=True, in_background=True) as background, workers(2, in_threads=True) as others:
        assert {found for _, found in spread(background, niceness, range(8))} == {min(19, here + parallel.GIVEN_WAY)}
        assert {found for _, found in spread(others, niceness, range(8))} == {here}
    assert niceness(None) == here


def test_what_work_raises_is_raised_here() -> None:
    with workers(2, in_threads=True) as executor, pytest.raises(ZeroDivisionError):
        list(spread(executor, lambda task: 1 // task, [1, 0, 2]))


class Forgetful(Executor):
    """A cluster's client and its executor at once; it goes away after some tasks, and the rest never ends."""

    def __init__(self, n_done: int) -> None:
        self.n_done, self.n_given, self.status = n_done, 0, "running"

    def get_executor(self, pure: bool) -> Executor:
        assert not pure
        return self

    def submit(self, work: Any, /, *arguments: Any, **named: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        self.n_given += 1
        if self.n_given <= self.n_done:
            future.set_result(work(*arguments, **named))
        else:
            self.status = "connecting"
        return future


def test_no_task_waits_for_a_cluster_that_has_gone_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "LOOK_EVERY", 0.01)
    with OnCluster(Forgetful(5)) as executor:
        found: list[tuple[int, float]] = []
        with pytest.raises(CancelledError):
            found.extend(spread(executor, halved, range(10)))
        assert found == [(k, k / 2) for k in range(5)]
    with OnCluster(Forgetful(10)) as executor:
        assert len(list(spread(executor, halved, range(10)))) == 10


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interruption_while_the_caller_works_comes_when_it_goes_on(jobs: int) -> None:
    with workers(jobs, in_threads=True) as executor:
        work = spread(executor, halved, [1, 2, 3])
        next(work)
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            list(work)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interruption_within_work_done_here_spoils_no_result() -> None:
    def interrupted(task: int) -> int:
        if task == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return task

    found: list[tuple[int, int]] = []
    with pytest.raises(KeyboardInterrupt):
        found.extend(spread(None, interrupted, range(9)))
    assert found == [(0, 0), (1, 1), (2, 2)]


def test_a_second_interruption_ends_work_done_here() -> None:
    def stubborn(_: int) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("went on")

    with pytest.raises(KeyboardInterrupt):
        next(spread(None, stubborn, [0]))


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interruption_after_the_last_task_is_not_lost(jobs: int) -> None:
    with workers(jobs, in_threads=True) as executor:
        work = spread(executor, halved, [1])
        next(work)
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            next(work)


def test_what_must_not_be_done_by_half_is_done_before_an_interruption() -> None:
    done: list[int] = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        for k in range(3):
            os.kill(os.getpid(), signal.SIGINT)
            done.append(k)
    assert done == [0, 1, 2]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


ROUNDS = """
import itertools, os, random, signal, threading, time
from sim.parallel import spread, workers
chance = random.Random(1)
interrupted = 0
for _ in range(150):
    timer = threading.Timer(chance.uniform(0.001, 0.01), os.kill, (os.getpid(), signal.SIGINT))
    try:
        with workers(2, in_threads=True) as executor:
            for k, _ in enumerate(spread(executor, time.sleep, itertools.repeat(0.0003))):
                if k == 0:
                    timer.start()
    except KeyboardInterrupt:
        interrupted += 1
print(interrupted)
"""


def test_no_moment_of_an_interruption_leaves_workers_waiting_for_ever() -> None:
    done = subprocess.run([sys.executable, "-c", ROUNDS], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert (done.stdout, done.stderr) == ("150\n", "")
