"""A class on one server: every answer arrives whole, nothing breaks, memory stays bounded; and the crowd that shows it can tell."""

import asyncio
import random
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from streamlit.proto.Slider_pb2 import Slider

from benchmarks import load
from benchmarks.load import Answer, Found, Visitor, crowd
from benchmarks.served import HEAPS, app_served

PEOPLE, SECONDS = 8, 25.0
# What a server may grow by while its bounded caches fill, in MB.
ROOM = 500


def apart(work: Coroutine[Any, Any, Found]) -> Found:
    """Run in a thread of its own: Playwright may keep an event loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@contextmanager
def serving(tmp_path: Path, page: str) -> Iterator[tuple[str, int]]:
    """A page of a few lines."""
    script = tmp_path / "page.py"
    script.write_text(f"import streamlit as st\n{page}\n", encoding="utf-8")
    with app_served(script) as (address, server):
        yield address, server.pid


def test_a_class_gets_every_answer_and_memory_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    # Other tests run beside this one: late is fine here, lost is not.
    monkeypatch.setattr(load, "PATIENCE", 240.0)
    with app_served() as (address, server):
        alone = apart(crowd(address, server.pid, 1, 5, 0.5))
        found = apart(crowd(address, server.pid, PEOPLE, SECONDS))
    assert (found.lost, found.exceptions) == ([], [])
    assert len(found.opened) == PEOPLE
    assert len(found.answers) >= PEOPLE
    # A page that has been reduced to a message would be quick.
    assert all(answer.charts for answer in found.opened)
    assert sum(not answer.errors for answer in found.answers) > 0.8 * len(found.answers)
    assert max(megabytes for _, megabytes in found.memory) < alone.memory[-1][1] + ROOM


# --- The crowd can tell


def test_an_answer_that_breaks_is_counted(tmp_path: Path) -> None:
    with serving(tmp_path, "if st.slider('n', 0, 1000, 0): raise ValueError('broken')") as (address, server):
        found = apart(crowd(address, server, 2, 3, 0.1))
    assert found.opened and not any(answer.exceptions for answer in found.opened)
    assert len(found.exceptions) == len(found.answers) > 0
    assert all(text.startswith("ValueError: ") for text in found.exceptions)
    rows = load.targets(found, found)
    assert rows[0][3] is False


def test_an_error_in_the_page_is_told_apart_from_an_exception(tmp_path: Path) -> None:
    with serving(tmp_path, "if st.slider('n', 0, 1000, 0): st.error('too many')") as (address, server):
        found = apart(crowd(address, server, 1, 1, 0.1))
    assert found.exceptions == []
    assert {text for answer in found.answers for text in answer.errors} == {"too many"}


def test_a_server_that_dies_loses_answers(tmp_path: Path) -> None:
    page = "import os\nif st.slider('n', 0, 1000, 0): os._exit(1)"
    with serving(tmp_path, page) as (address, server):
        found = apart(crowd(address, server, 2, 3, 0.1))
    assert len(found.lost) == 2
    assert found.answers == []


def test_an_answer_that_never_comes_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "PATIENCE", 2.0)
    page = "import time\nif st.slider('n', 0, 1000, 0): time.sleep(8)"
    with serving(tmp_path, page) as (address, server):
        found = apart(crowd(address, server, 1, 1, 0.1))
    assert len(found.lost) == 1 and found.lost[0].startswith("TimeoutError")


def test_a_page_without_sliders_is_told(tmp_path: Path) -> None:
    with serving(tmp_path, "st.write('nothing to move')") as (address, server):
        with pytest.raises(LookupError, match="no slider"):
            apart(crowd(address, server, 1, 1))


def test_the_server_has_the_heaps_that_make_app_gives_it() -> None:
    makefile = (Path(__file__).resolve().parents[1] / "Makefile").read_text(encoding="utf-8")
    for name, number in HEAPS.items():
        assert f"app class: export {name} = {number}\n" in makefile


def test_memory_that_grows_is_seen(tmp_path: Path) -> None:
    page = "import sys\nsys.kept = getattr(sys, 'kept', [])\nsys.kept.append(bytearray(b'x' * 4_000_000))\nst.slider('n', 0, 1000, 0)"
    with serving(tmp_path, page) as (address, server):
        found = apart(crowd(address, server, 2, 6, 0.1))
    assert found.growth > 20
    assert found.memory[-1][1] > found.memory[0][1] + 3 * len(found.answers)


def test_a_slider_inside_a_fragment_runs_the_fragment_alone(tmp_path: Path) -> None:
    page = """
import sys
sys.whole = getattr(sys, 'whole', 0) + 1
if sys.whole > 1: raise ValueError('the whole page ran again')
@st.fragment
def part():
    st.text(f"at {st.slider('n', 0, 1000, 0)}")
part()
"""
    with serving(tmp_path, page) as (address, server):
        found = apart(crowd(address, server, 1, 1, 0.1))
    assert found.answers and not found.exceptions


# --- Where sliders go


def test_a_slider_goes_to_another_of_its_places() -> None:
    slider = Slider(id="x", label="Share", min=0.1, max=0.5, step=0.1, default=[0.3])
    visitor = Visitor(line=None, sliders={"Share": (slider, "")})  # type: ignore[arg-type]
    luck = random.Random(1)
    places = {round(visitor.place("Share", luck), 9) for _ in range(200)}
    assert places == {0.1, 0.2, 0.4, 0.5}
    visitor.moved["x"] = 0.5
    assert {round(visitor.place("Share", luck), 9) for _ in range(200)} == {0.1, 0.2, 0.3, 0.4}


def test_numbers_of_a_crowd() -> None:
    alone, found = Found(1, 10), Found(40, 60)
    alone.answers = [Answer(0.1, 1000), Answer(0.1, 1000)]
    found.answers = [Answer(0.2, 1000), Answer(0.2, 3000), Answer(3.0, 2000)]
    found.memory = [(float(second), 100.0 if second < 30 else 70 + second) for second in range(60)]
    assert found.growth == pytest.approx(60)
    told = {what: is_met for what, _, _, is_met in load.targets(found, alone)}
    assert told == {
        "no exception, no lost answer": True,
        "median against one person's": True,
        "p95": False,
        "memory over the second half": False,
    }
    assert found.row()["kb_per_answer"] == 2.0


@pytest.mark.parametrize(("a_minute", "is_flat"), [(-5.0, True), (0.0, True), (30.0, False)])
def test_memory_is_flat_where_it_grows_no_more_than_its_swings_explain(a_minute: float, is_flat: bool) -> None:
    luck = random.Random(1)
    found = Found(40, 600)
    found.memory = [(second, 600 + a_minute * second / 60 + luck.uniform(-50, 50)) for second in range(600)]
    assert found.growth_error == pytest.approx(60 * 100 / 12**0.5 / (300**1.5 / 12**0.5), rel=0.1)
    assert abs(found.growth - a_minute) < 3 * found.growth_error
    assert load.targets(found, Found(1, 10))[-1][-1] == is_flat
