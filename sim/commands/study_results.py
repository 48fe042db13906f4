"""What every study hands over: a table in the terminal, a page with plots, and one JSON object."""

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.commands.common import console

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from sim.scenario import Scenario

RESULT, PAGE = "study.json", "plot.html"


def head(study: str, scenario: "Scenario", seed: int) -> dict[str, Any]:
    """What identifies a study."""
    from sim.parameters import model_version
    from sim.store import command_line

    return {
        "study": study,
        "scenario": scenario.name,
        "title": scenario.title,
        "scenario_hash": scenario.digest,
        "model_version": model_version(),
        "seed": seed,
        "command": command_line(),
    }


def place(out: Path | None, study: str, name: str) -> Path:
    """The folder of a study's results; raises InputError rather than write over anything else."""
    from sim.parameters import InputError

    folder = out or Path("results") / f"{study}-{name}"
    if folder.is_file():
        raise InputError(f"--out {folder} is a file; name a folder")
    told = folder / RESULT
    if told.is_file():
        try:
            found = json.loads(told.read_text(encoding="utf-8")).get("study")
        except (ValueError, AttributeError):
            found = None
        if found != study:
            raise InputError(f"--out {folder} holds the results of another study ({found}); name another folder")
    elif folder.is_dir() and any(folder.iterdir()) and not (folder / "sweep").is_dir():
        raise InputError(f"--out {folder} is not empty and holds no results of {study}; name a new folder")
    return folder


def hand_over(
    folder: Path,
    told: dict[str, Any],
    page: str,
    parts: "Sequence[RenderableType]",
    as_json: bool,
) -> None:
    """Write the JSON and the page, and print the table or the JSON."""
    from sim.report import NOT_A_FORECAST

    text = json.dumps(plain({**told, "note": NOT_A_FORECAST}), allow_nan=False)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RESULT).write_text(text + "\n", encoding="utf-8")
    (folder / PAGE).write_text(page, encoding="utf-8")
    if as_json:
        print(text)
        return
    for part in parts:
        console().print(part)
    console().print(NOT_A_FORECAST, style="italic")
    sys.stderr.write(f"results: {folder / RESULT}, {folder / PAGE}\n")


def plain(value: Any) -> Any:
    """The value as JSON can hold it: arrays as lists, what is no number as null."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def number(value: float | None, unit: str = "") -> str:
    """A number for reading: four digits that count, thousands apart."""
    if value is None or not math.isfinite(value):
        return "never" if value is None or value > 0 else "-"
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"{text} {unit}".rstrip()


def table(title: str, *headings: str) -> "Table":
    """A table as all commands print them."""
    from rich.table import Table

    # A title is wrapped at the width of its table, so the table is never narrower than its title.
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, min_width=min(len(title), 110))
    for heading in headings:
        made.add_column(heading, overflow="fold")
    return made


def bar(value: float, highest: float, width: int = 30) -> "RenderableType":
    """A bar of text, so that a size is seen without a browser."""
    from rich.bar import Bar

    highest = highest if highest > 0.0 else 1.0
    return Bar(highest, 0.0, max(0.0, min(value, highest)), width=width)
