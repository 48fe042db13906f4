"""Jobs: long work that many people may ask for, one after the other in the background, each computed once.

Whoever asks keeps no thread: the work goes on in one of its own, tells how far it is, and what it found is kept under its key
for everybody, so that a lost connection loses nothing.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import Any

from sim.parameters import InputError

# Jobs whose results are kept, and jobs that may wait.
MOST_KEPT, MOST_WAITING = 16, 8
# Seconds without a look after which somebody is taken to have gone.
GONE = 15.0

Tell = Callable[[str, int, int], None]
Work = Callable[[Tell], Any]


class Stopped(BaseException):
    """The work was cancelled: raised where it tells how far it is, and no error, so nothing that catches those catches it."""


@dataclass
class Job:
    """Some work, how far it is, and what it found.

    subject
        What it is about, so that it can be found again by it.
    n, total
        How far the stage is.
    begun, ended
        In seconds of the clock; None before.
    result, error
        What the work gave, or what it raised in words; both None if it was cancelled.
    seen
        Who asked for it, and when each last looked.
    """

    key: str
    title: str
    subject: str
    work: Work
    stage: str = "waiting"
    n: int = 0
    total: int = 0
    begun: float | None = None
    ended: float | None = None
    result: Any = None
    error: str | None = None
    is_cancelled: bool = False
    seen: dict[str, float] = field(default_factory=dict)
    done: Event = field(default_factory=Event)

    @property
    def is_done(self) -> bool:
        """Whether it has ended, well or not."""
        return self.done.is_set()

    @property
    def part(self) -> float:
        """How much of the stage is done, between 0 and 1."""
        return min(1.0, self.n / self.total) if self.total else 0.0


class Jobs:
    """All jobs of a server: those kept, those that wait, and the one that is worked on."""

    def __init__(
        self, most_kept: int = MOST_KEPT, most_waiting: int = MOST_WAITING, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """No work yet; its thread begins with the first."""
        self._most_kept, self._most_waiting, self._clock = most_kept, most_waiting, clock
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._queue: SimpleQueue[Job] = SimpleQueue()
        self._lock = Lock()
        self._thread: Thread | None = None

    def start(self, key: str, title: str, subject: str, work: Work, who: str) -> Job:
        """The job of that key: the one that runs or has been kept, or a new one at the end of the queue.

        Raises
        ------
        InputError
            If too many wait already.
        """
        with self._lock:
            found = self._jobs.get(key)
            if found is not None and not found.is_cancelled and found.error is None:
                self._jobs.move_to_end(key)
                found.seen[who] = self._clock()
                return found
            if sum(not job.is_done for job in self._jobs.values()) >= self._most_waiting:
                raise InputError(
                    f"{self._most_waiting} studies are being made or wait on this server: try again when one has ended"
                )
            job = self._jobs[key] = Job(key, title, subject, work, seen={who: self._clock()})
            self._jobs.move_to_end(key)
            kept = [each for each in self._jobs.values() if each.is_done]
            for old in kept[: max(0, len(kept) - self._most_kept + 1)]:
                del self._jobs[old.key]
            if self._thread is None:
                # A daemon: a server that ends does not wait for studies.
                self._thread = Thread(target=self._go_on, name="studies", daemon=True)
                self._thread.start()
        self._queue.put(job)
        return job

    def get(self, key: str) -> Job | None:
        """The job of a key, if there is one."""
        with self._lock:
            return self._jobs.get(key)

    def about(self, subject: str) -> list[Job]:
        """Jobs about something that have not been cancelled, the latest first."""
        with self._lock:
            return [job for job in reversed(self._jobs.values()) if job.subject == subject and not job.is_cancelled]

    def before(self, job: Job) -> int:
        """How many jobs come before one that waits."""
        with self._lock:
            waiting = [each for each in self._jobs.values() if not each.is_done and not each.is_cancelled]
        return waiting.index(job) if job in waiting else 0

    def look(self, job: Job, who: str) -> None:
        """Note that somebody waits for it."""
        job.seen[who] = self._clock()

    def cancel(self, job: Job, who: str) -> bool:
        """Take back what somebody asked for; the work stops unless others wait for it. Returns whether it stops."""
        job.seen.pop(who, None)
        now = self._clock()
        if any(now - last < GONE for last in list(job.seen.values())):
            return False
        job.is_cancelled = True
        return True

    def seconds_left(self, job: Job) -> float | None:
        """How long the stage will take at the pace so far; None before anything is known."""
        if job.begun is None or job.n == 0 or not job.total:
            return None
        return (self._clock() - job.begun) / job.n * (job.total - job.n)

    def _go_on(self) -> None:
        while True:
            self._do(self._queue.get())

    def _do(self, job: Job) -> None:
        """Do the work of a job to its end, whatever that is."""

        def tell(stage: str, n: int, total: int) -> None:
            if job.is_cancelled:
                raise Stopped
            if job.begun is None or (stage != job.stage and n == 0):
                job.begun = self._clock()
            job.stage, job.n, job.total = stage, n, total

        try:
            tell("beginning", 0, 0)
            job.result = job.work(tell)
        except Stopped:
            job.is_cancelled = True
        except InputError as error:
            job.error = str(error)
        except Exception as error:  # whatever a study raises belongs to that study: the next one must still be done
            job.error = f"it ended with {type(error).__name__}: {error}"
        job.ended = self._clock()
        job.done.set()
