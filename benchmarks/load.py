"""How many people one server carries, without a browser for each: `python -m benchmarks.load`.

Each visitor is a websocket that speaks Streamlit's own protocol: it opens the page, waits for the whole answer, thinks
for five seconds on average (exponential), moves a slider, and so on. What comes back is looked at: a server that breaks is
fast, so an answer with an exception in it is counted as one. Widgets are found by their labels in what the first run sends.
"""

import argparse
import asyncio
import contextlib
import json
import math
import random
import re
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psutil
from scipy.stats import linregress
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.Slider_pb2 import Slider
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from benchmarks.served import app_served

THINKING = 5.0
# An answer later than this is lost.
PATIENCE = 60.0
FINISHED = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)


def rerun(
    moved: Mapping[str, float | str] | None = None,
    page: str = "",
    fragment: str = "",
    held: Sequence[str] = (),
    query: str = "",
) -> bytes:
    """What a browser sends to have the script run: sliders and open tabs by id, and the messages that it still holds."""
    message = BackMsg()
    asked = message.rerun_script
    asked.query_string, asked.page_script_hash, asked.fragment_id = query, page, fragment
    asked.cached_message_hashes.extend(held)
    for name, value in (moved or {}).items():
        state = WidgetState(id=name)
        if isinstance(value, str):
            state.string_value = value
        else:
            state.double_array_value.data.append(value)
        asked.widget_states.widgets.append(state)
    return message.SerializeToString()


@dataclass
class Answer:
    """One whole run of the script, as it came back."""

    seconds: float = 0.0
    bytes: int = 0
    charts: int = 0
    exceptions: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@dataclass
class Visitor:
    """One open page."""

    line: ClientConnection
    page: str = ""
    sliders: dict[str, tuple[Slider, str]] = field(default_factory=dict)
    moved: dict[str, float] = field(default_factory=dict)
    held: dict[str, tuple[int, str]] = field(default_factory=dict)
    runs: int = 0

    async def open(self, query: str = "") -> Answer:
        """The first run of the page."""
        return await self._ask("", query)

    async def move(self, label: str, value: float) -> Answer:
        """Move one slider and wait for everything that follows."""
        slider, fragment = self.sliders[label]
        self.moved[slider.id] = value
        return await self._ask(fragment)

    async def _ask(self, fragment: str, query: str = "") -> Answer:
        begun, answer = time.perf_counter(), Answer()
        self.runs += 1
        await self.line.send(rerun(self.moved, self.page, fragment, list(self.held), query))
        async with asyncio.timeout(PATIENCE):
            while True:
                data = await self.line.recv()
                assert isinstance(data, bytes)
                answer.bytes += len(data)
                message = ForwardMsg.FromString(data)
                kind = message.WhichOneof("type")
                if kind == "new_session":
                    self.page = message.new_session.page_script_hash
                elif kind == "ref_hash":
                    # The browser holds it already.
                    _, what = self.held[message.ref_hash]
                    self.held[message.ref_hash] = self.runs, what
                    answer.charts += what == "plotly_chart"
                elif kind == "delta":
                    self._look(message, answer)
                elif kind == "session_event" and message.session_event.HasField("script_compilation_exception"):
                    answer.exceptions.append(message.session_event.script_compilation_exception.message)
                elif kind == "script_finished" and message.script_finished in FINISHED:
                    break
        answer.seconds = time.perf_counter() - begun
        # A browser lets go of what two runs have not shown.
        self.held = {key: kept for key, kept in self.held.items() if kept[0] > self.runs - 2}
        return answer

    def _look(self, message: ForwardMsg, answer: Answer) -> None:
        delta: Delta = message.delta
        if delta.WhichOneof("type") != "new_element":
            return
        element: Element = delta.new_element
        kind = str(element.WhichOneof("type"))
        if message.metadata.cacheable:
            self.held[message.hash] = self.runs, kind
        if kind == "slider" and not element.slider.disabled and element.slider.type == Slider.SLIDER:
            self.sliders[element.slider.label] = element.slider, delta.fragment_id
        elif kind == "exception":
            answer.exceptions.append(f"{element.exception.type}: {element.exception.message}")
        elif kind == "alert" and element.alert.format == element.alert.ERROR:
            answer.errors.append(element.alert.body)
        answer.charts += kind == "plotly_chart"

    def choices(self, pattern: str) -> list[str]:
        """Labels of the sliders with one number that match a pattern."""
        return [
            label
            for label, (slider, _) in self.sliders.items()
            if slider.data_type in {Slider.INT, Slider.FLOAT} and len(slider.default) == 1 and re.search(pattern, label)
        ]

    def place(self, label: str, luck: random.Random) -> float:
        """One of the places at which a slider can stand, other than where it stands."""
        slider, _ = self.sliders[label]
        n = max(1, round((slider.max - slider.min) / slider.step))
        at = self.moved.get(slider.id, slider.default[0])
        places = [min(slider.max, slider.min + k * slider.step) for k in range(n + 1)]
        return luck.choice([place for place in places if abs(place - at) > slider.step / 2] or places)


@dataclass
class Found:
    """What a crowd met."""

    people: int
    seconds: float
    opened: list[Answer] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    cores: float = 0.0

    def quantile(self, q: float) -> float:
        """Of the time to a whole answer after a slider has moved, in milliseconds; NaN if there was none."""
        return 1000 * float(np.quantile([answer.seconds for answer in self.answers], q)) if self.answers else math.nan

    @property
    def exceptions(self) -> list[str]:
        """Every exception that a page showed, opening it or moving."""
        return [text for answer in self.opened + self.answers for text in answer.exceptions]

    @property
    def growth(self) -> float:
        """By how much memory grows, in megabytes a minute over the second half, when everybody has long been there."""
        return 60 * self._late.slope if len(self.memory) > 4 else math.nan

    @property
    def growth_error(self) -> float:
        """The standard error of that: what is held moves by a hundred megabytes from one second to the next."""
        return 60 * self._late.stderr if len(self.memory) > 4 else math.nan

    @property
    def _late(self) -> Any:
        return linregress(*zip(*self.memory[len(self.memory) // 2 :], strict=True))

    def row(self) -> dict[str, Any]:
        """The numbers of one line."""
        sizes = [answer.bytes for answer in self.answers]
        return {
            "people": self.people,
            "seconds": round(self.seconds),
            "answers": len(self.answers),
            "lost": len(self.lost),
            "exceptions": len(self.exceptions),
            "errors": sum(len(answer.errors) for answer in self.answers),
            "p50_ms": whole(self.quantile(0.5)),
            "p95_ms": whole(self.quantile(0.95)),
            "open_p50_ms": whole(1000 * statistics.median(a.seconds for a in self.opened)) if self.opened else None,
            "kb_per_answer": round(statistics.median(sizes) / 1000, 1) if sizes else None,
            "memory_mb": [round(self.memory[0][1]), round(max(m for _, m in self.memory)), round(self.memory[-1][1])],
            "growth_mb_per_minute": [round(self.growth, 2), round(self.growth_error, 2)],
            "cores": round(self.cores, 2),
        }


def whole(number: float) -> int | None:
    """To the whole number; None for NaN."""
    return None if math.isnan(number) else round(number)


async def visit(address: str, found: Found, until: float, thinking: float, pattern: str, luck: random.Random) -> None:
    """One person: opens the page within the first moments, and moves sliders until the time is over."""
    await asyncio.sleep(luck.uniform(0, min(THINKING, found.seconds / 5)) if found.people > 1 else 0)
    stream = address.replace("http", "ws", 1) + "/_stcore/stream"
    try:
        # A browser does not let go of the line while it waits, and Streamlit does not compress.
        async with connect(
            stream, subprotocols=[Subprotocol("streamlit")], max_size=None, compression=None, ping_timeout=None
        ) as line:
            visitor = Visitor(line)
            found.opened.append(await visitor.open())
            if not visitor.choices(pattern):
                raise LookupError(f"no slider matches {pattern!r}; there are {sorted(visitor.sliders)}")
            moves = 0
            while moves == 0 or time.monotonic() < until:
                moves += 1
                await asyncio.sleep(luck.expovariate(1 / thinking))
                label = luck.choice(visitor.choices(pattern))
                found.answers.append(await visitor.move(label, visitor.place(label, luck)))
    except (TimeoutError, OSError, WebSocketException) as error:
        found.lost.append(f"{type(error).__name__}: {error}")


async def crowd(
    address: str, server: int, people: int, seconds: float, thinking: float = THINKING, pattern: str = "", seed: int = 1
) -> Found:
    """Let people use an app for some seconds, and watch the server's memory (with its child processes) meanwhile."""
    found, begun = Found(people, seconds), time.monotonic()
    process = psutil.Process(server)
    used = cpu(process)

    async def watch() -> None:
        while True:
            found.memory.append((time.monotonic() - begun, resident(process)))
            await asyncio.sleep(min(1.0, seconds / 20))

    watching = asyncio.create_task(watch())
    visits = [
        visit(address, found, begun + seconds, thinking, pattern, random.Random(f"{seed}/{k}")) for k in range(people)
    ]
    try:
        await asyncio.gather(*visits)
    finally:
        watching.cancel()
    found.cores = (cpu(process) - used) / (time.monotonic() - begun)
    return found


def resident(process: psutil.Process) -> float:
    """Megabytes that a server and its child processes hold."""
    return sum(one.memory_info().rss for one in family(process)) / 1e6


def cpu(process: psutil.Process) -> float:
    """Processor seconds that a server and its child processes have used."""
    return sum(sum(one.cpu_times()[:2]) for one in family(process))


def family(process: psutil.Process) -> Iterator[psutil.Process]:
    """A process and its children, without those that end while we look."""
    for one in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            one.memory_info()
            yield one


def measure(address: str, server: int, crowds: Sequence[int], seconds: float, pattern: str = "") -> list[Found]:
    """One person alone, then each crowd; all on one server, as on one morning."""
    alone = asyncio.run(crowd(address, server, 1, max(10.0, seconds / 10), 0.5, pattern))
    return [
        alone,
        *(asyncio.run(crowd(address, server, people, seconds, THINKING, pattern, people)) for people in crowds),
    ]


# --- Against what it is meant to be

NONE = "none"


def targets(found: Found, alone: Found) -> list[tuple[str, str, str, bool]]:
    """Of one crowd: what, measured, aimed at, and whether it is there."""
    whole = not found.lost and not found.exceptions
    lines = [("no exception, no lost answer", f"{len(found.exceptions)} and {len(found.lost)}", NONE, whole)]
    p50, p95, ratio = found.quantile(0.5), found.quantile(0.95), found.quantile(0.5) / alone.quantile(0.5)
    if found.people <= 20:
        lines.append(("p95", f"{p95:,.0f} ms", "500 ms", p95 <= 500))
    else:
        lines.append(("median against one person's", f"{p50:,.0f} ms, {ratio:.1f} times", "3 times", ratio <= 3))
        lines.append(("p95", f"{p95:,.0f} ms", "2,000 ms", p95 <= 2000))
        growth = f"{found.growth:+.1f} MB a minute, standard error {found.growth_error:.1f}"
        is_flat = found.growth - 2 * found.growth_error <= 1
        lines.append(("memory over the second half", growth, "no growth (1 MB a minute) beyond two errors", is_flat))
    return lines


def main() -> None:
    """Print what crowds met, with the aim beside each number."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--people", type=int, nargs="+", default=[20, 40], help="sizes of the crowds, one after another"
    )
    parser.add_argument("--seconds", type=float, default=25.0, help="how long each crowd stays")
    parser.add_argument("--long", action="store_true", help="ten minutes each, to see whether memory grows")
    parser.add_argument("--sliders", default="", metavar="PATTERN", help="only sliders whose label matches")
    parser.add_argument("--script", default="app.py", help="another Streamlit page")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with app_served(chosen.script) as (address, server):
        found = measure(address, server.pid, chosen.people, 600.0 if chosen.long else chosen.seconds, chosen.sliders)
    if chosen.json:
        print(json.dumps([one.row() for one in found], indent=1))
        return
    for one in found:
        row = one.row()
        print(
            f"\n{one.people} {'people' if one.people > 1 else 'person'}, {row['seconds']} s, {row['answers']} answers"
        )
        print(
            f"  p50 {row['p50_ms']:,} ms, p95 {row['p95_ms']:,} ms, opened in {row['open_p50_ms']:,} ms, "
            f"{row['kb_per_answer']} KB an answer, {row['cores']} cores, "
            f"memory {' to '.join(f'{mb:,}' for mb in row['memory_mb'])} MB (first, most, last)"
        )
        for what, value, aim, is_met in targets(one, found[0]) if one.people > 1 else []:
            print(f"  {'met ' if is_met else 'MISSED'} {what}: {value}, aimed at {aim}")
        for text in sorted({*one.exceptions, *one.lost}):
            print(f"  {text}")


if __name__ == "__main__":
    main()
