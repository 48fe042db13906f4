"""Jobs: each computed once, in order, told how far, stopped when nobody waits for it, and kept within bounds."""

from threading import Event
from typing import Any

import pytest

from sim.jobs import GONE, Job, Jobs, Tell
from sim.parameters import InputError

WAIT = 20.0


def ended(job: Job) -> Job:
    assert job.done.wait(WAIT)
    return job


def gives(value: Any) -> Any:
    return lambda tell: value


class Held:
    """Work that goes on until it is let go, and tells each step."""

    def __init__(self) -> None:
        self.has_begun, self.may_end, self.times = Event(), Event(), 0

    def __call__(self, tell: Tell) -> str:
        self.times += 1
        tell("steps", 1, 4)
        self.has_begun.set()
        while not self.may_end.wait(0.01):
            tell("steps", 2, 4)
        return "found"


def test_one_key_is_computed_once_and_kept_for_everybody() -> None:
    jobs, held = Jobs(), Held()
    first = jobs.start("a", "A", "scenario", held, "one")
    assert held.has_begun.wait(WAIT)
    assert jobs.start("a", "A", "scenario", held, "two") is first
    held.may_end.set()
    assert ended(first).result == "found"
    assert jobs.start("a", "A", "scenario", held, "three").result == "found"
    assert held.times == 1
    assert jobs.about("scenario") == [first] and jobs.about("other") == []


def test_work_waits_its_turn_and_says_how_much_is_before_it() -> None:
    jobs, held = Jobs(), Held()
    jobs.start("a", "A", "s", held, "one")
    assert held.has_begun.wait(WAIT)
    second = jobs.start("b", "B", "s", gives(2), "one")
    third = jobs.start("c", "C", "s", gives(3), "one")
    assert (jobs.before(second), jobs.before(third), second.begun) == (1, 2, None)
    held.may_end.set()
    assert (ended(second).result, ended(third).result) == (2, 3)


def test_only_the_last_who_waits_can_stop_it() -> None:
    now = [0.0]
    jobs, held = Jobs(clock=lambda: now[0]), Held()
    job = jobs.start("a", "A", "s", held, "one")
    jobs.start("a", "A", "s", held, "two")
    assert held.has_begun.wait(WAIT)
    assert not jobs.cancel(job, "one")
    assert not job.is_done
    # The other has closed the page.
    now[0] = GONE + 1.0
    jobs.look(job, "one")
    assert jobs.cancel(job, "one")
    assert ended(job).is_cancelled and job.result is None and job.error is None
    assert jobs.about("s") == []
    held.may_end.set()
    assert ended(jobs.start("a", "A", "s", held, "one")).result == "found"


def test_what_was_cancelled_before_its_turn_never_begins() -> None:
    jobs, held, never = Jobs(), Held(), Held()
    jobs.start("a", "A", "s", held, "one")
    assert held.has_begun.wait(WAIT)
    waiting = jobs.start("b", "B", "s", never, "one")
    assert jobs.cancel(waiting, "one")
    held.may_end.set()
    ended(waiting)
    assert never.times == 0


def test_what_goes_wrong_belongs_to_one_job_and_can_be_tried_again() -> None:
    jobs = Jobs()

    def refused(tell: Tell) -> None:
        raise InputError("x = 1 is not allowed")

    def broken(tell: Tell) -> None:
        raise ZeroDivisionError("by zero")

    assert ended(jobs.start("a", "A", "s", refused, "one")).error == "x = 1 is not allowed"
    assert ended(jobs.start("b", "B", "s", broken, "one")).error == "it ended with ZeroDivisionError: by zero"
    assert ended(jobs.start("a", "A", "s", gives(1), "one")).result == 1


def test_what_is_kept_and_what_may_wait_is_bounded() -> None:
    jobs = Jobs(most_kept=2, most_waiting=2)
    for number in range(5):
        ended(jobs.start(str(number), "A", "s", gives(number), "one"))
    assert [job.result for job in jobs.about("s")] == [4, 3]
    assert jobs.get("0") is None
    held = Held()
    jobs.start("x", "A", "s", held, "one")
    jobs.start("y", "A", "s", held, "one")
    with pytest.raises(InputError, match="2 studies are being made or wait"):
        jobs.start("z", "A", "s", held, "one")
    held.may_end.set()


def test_the_time_left_follows_the_pace_so_far() -> None:
    now = [0.0]
    jobs, held = Jobs(clock=lambda: now[0]), Held()
    job = Job("a", "A", "s", held)
    assert jobs.seconds_left(job) is None
    job.begun, job.n, job.total, now[0] = 0.0, 10, 40, 5.0
    assert jobs.seconds_left(job) == pytest.approx(15.0)
    assert job.part == 0.25
