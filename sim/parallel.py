"""The one place where work is spread: over threads, processes, or the workers of a Dask cluster.

Whatever runs in parallel in this project goes through `spread`, which takes any `concurrent.futures.Executor`.
"""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context, parent_process
from queue import SimpleQueue
from threading import Event, Thread, current_thread, get_native_id, main_thread
from typing import Any, TypeVar

from sim.parameters import InputError

Task = TypeVar("Task")
Result = TypeVar("Result")

# Tasks handed out at a time: enough that no worker of a small cluster waits, few enough that millions need no memory.
AHEAD = 64
# What threads in the background leave to others, as `nice` counts it: about nine tenths where cores are short.
GIVEN_WAY = 10
# Seconds between two looks at whether a cluster is still there.
LOOK_EVERY = 1.0


class WorkersLostError(RuntimeError):
    """Workers ended or went away.

    so_far
        What had finished, where that is kept in memory.
    """

    so_far: Any = None


def cores(jobs: int = 0) -> int:
    """The number of workers meant; 0 takes all cores."""
    return jobs or os.cpu_count() or 1


@contextmanager
def workers(
    jobs: int, scheduler: str | None = None, in_threads: bool = False, in_background: bool = False
) -> Iterator[Executor | None]:
    """An executor, or None for one worker alone: this one.

    Parameters
    ----------
    jobs
        Workers on this machine; 0 takes all cores.
    scheduler
        Address of a Dask scheduler, `tcp://host:port`, whose workers are used instead.
    in_threads
        Threads and not processes: for compiled code, which lets other threads run.
    in_background
        Threads that give way to whatever else this machine has to do, on systems where one thread can.
    """
    if scheduler is not None:
        with _cluster(scheduler) as executor:
            yield executor
        return
    if cores(jobs) <= 1:
        yield None
        return
    pool: Executor
    if in_threads:
        pool = ThreadPoolExecutor(cores(jobs), initializer=_give_way if in_background else None)
    else:
        pool = ProcessPoolExecutor(cores(jobs), mp_context=get_context("spawn"), initializer=_live_with_the_parent)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _give_way() -> None:
    """Let all other threads go first; only on Linux is this of one thread and not of the whole process."""
    if sys.platform == "linux":
        me = get_native_id()
        os.setpriority(os.PRIO_PROCESS, me, min(19, os.getpriority(os.PRIO_PROCESS, me) + GIVEN_WAY))


def _live_with_the_parent() -> None:
    """Leave interruptions to the parent, and end when it has ended, however it did: else a killed one leaves workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    Thread(target=_end_with_the_parent, daemon=True).start()


def _end_with_the_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _cluster(address: str) -> Iterator[Executor]:
    """The workers of a Dask cluster; a task whose worker dies is given to another."""
    try:
        from distributed import Client
    except ImportError:
        raise InputError(
            "--scheduler needs the package distributed, which is not installed: pip install -r requirements-lab.txt"
        ) from None
    # What goes wrong is told once, by whoever asked for the workers.
    for name in ("distributed", "distributed.client", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(f"--scheduler {address}: no scheduler answers there ({error})") from None
    with client, OnCluster(client) as executor:
        yield executor


class OnCluster(Executor):
    """The workers of a Dask cluster, whose futures all end: those that the library forgets once the scheduler is gone, too.

    Parameters
    ----------
    client
        A `distributed.Client`.
    """

    def __init__(self, client: Any) -> None:
        """Watch it from now on."""
        self._client = client
        # Not pure: equal tasks are equal work here, and a key made from the arguments would cost a second pickling.
        self._executor: Executor = client.get_executor(pure=False)
        self._waiting: set[Future[Any]] = set()
        self._is_over = Event()
        Thread(target=self._end_what_is_lost, daemon=True).start()

    def submit(self, work: Callable[..., Result], /, *arguments: Any, **named: Any) -> "Future[Result]":
        """As of any executor."""
        future = self._executor.submit(work, *arguments, **named)
        self._waiting.add(future)
        future.add_done_callback(self._waiting.discard)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take back what has not been done; nobody waits for it."""
        self._is_over.set()
        self._executor.shutdown(wait=False)

    def _end_what_is_lost(self) -> None:
        while not self._is_over.wait(LOOK_EVERY):
            if self._client.status != "running":
                for future in list(self._waiting):
                    future.cancel()


def spread(
    executor: Executor | None, work: Callable[[Task], Result], tasks: Iterable[Task]
) -> Iterator[tuple[Task, Result]]:
    """Each task with its result, in the order in which they are done; here and one by one without an executor.

    Whoever stops iterating (an interruption too) cancels what has not begun.
    """
    tasks = iter(tasks)
    done: SimpleQueue[Future[Result] | None] = SimpleQueue()
    if executor is None:
        with _interruptions_told_by(done):
            for task in tasks:
                yield task, work(task)
                if not done.empty():
                    return
        return
    waiting: dict[Future[Result], Task] = {}

    def submit(task: Task) -> None:
        with _unseen_by_new_processes():
            future = executor.submit(work, task)
        waiting[future] = task
        future.add_done_callback(done.put)

    with _interruptions_told_by(done):
        try:
            for task in islice(tasks, AHEAD):
                submit(task)
            while waiting:
                future = done.get()
                if future is None:
                    raise KeyboardInterrupt
                task = waiting.pop(future)
                for following in islice(tasks, 1):
                    submit(following)
                yield task, future.result()
        finally:
            for future in waiting:
                future.cancel()


def from_workers(results: Iterator[Result]) -> Iterator[Result]:
    """The results of work that tells its own errors: what is raised all the same, workers have raised by ending."""
    try:
        yield from results
    except InputError:
        raise
    except Exception as error:
        raise WorkersLostError(f"{type(error).__name__}: {error}".removesuffix(": ")) from error


@contextmanager
def _interruptions_told_by(done: "SimpleQueue[Any]") -> Iterator[None]:
    """Put None into a queue at the first Ctrl-C; a second one acts as ever.

    An exception raised wherever the program happens to be can leave a future locked for good, and then its executor
    never ends; or a library makes another error of it, which then counts as that of a run.
    """
    usual = signal.getsignal(signal.SIGINT)
    if current_thread() is not main_thread() or usual is not signal.default_int_handler:
        yield
        return
    interrupted = False

    def tell(*_: Any) -> None:
        nonlocal interrupted
        interrupted = True
        signal.signal(signal.SIGINT, usual)
        done.put(None)

    signal.signal(signal.SIGINT, tell)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
    if interrupted:
        raise KeyboardInterrupt


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put Ctrl-C off until what stands inside has been done as a whole."""
    usual = signal.getsignal(signal.SIGINT)
    if current_thread() is not main_thread() or usual is not signal.default_int_handler:
        yield
        return
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
    if came:
        raise KeyboardInterrupt


@contextmanager
def _unseen_by_new_processes() -> Iterator[None]:
    """Hold Ctrl-C back from a process that is started meanwhile, until it has learned to ignore it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    usual = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, usual)
