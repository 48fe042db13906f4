"""What all commands share: the application, options that mean the same everywhere, errors, progress and the console."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from sim.scenario import Scenario

app = typer.Typer(
    help=(
        "Simulate a request for National Guard volunteers who stay under their governors: how many states agree, "
        "and how quickly do troops arrive? Not a forecast."
    ),
    no_args_is_help=True,
    # Plain help answers in half the time; Rich is for results.
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130

File = Annotated[
    Path, typer.Argument(help="A scenario file, for instance scenarios/baseline.toml.", show_default=False)
]
Set = Annotated[
    list[str], typer.Option("--set", metavar="NAME=VALUE", help="Replace a value of the register; may be repeated.")
]
Seed = Annotated[int, typer.Option(help="Seed of all luck and draws.", min=0, max=2**64 - 1)]
Days = Annotated[int | None, typer.Option(help="Last day, instead of the scenario's.", min=1, max=1825)]
Known = Annotated[
    str | None, typer.Option(help="E: use nothing that was known only after May 2025; refuses what needs it.")
]
Replications = Annotated[
    int, typer.Option(help="Number of lucks; without --draws each comes with its own draw.", min=1)
]
Draws = Annotated[
    int | None,
    typer.Option(help="Draws of the uncertainties, each under every luck; 0 keeps all at their defaults.", min=0),
]
Jobs = Annotated[int, typer.Option(help="Threads or processes; 0 takes all cores.", min=0, max=256)]
Engine = Annotated[
    str,
    typer.Option(help="simpy, compiled, or auto (compiled for more than a few runs); both give the same numbers."),
]
Scheduler = Annotated[
    str | None, typer.Option(help="Address of a Dask scheduler, tcp://host:port, whose workers are used.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Replication = Annotated[int, typer.Option(help="Which luck to tell.", min=0, max=2**31 - 1)]
Draw = Annotated[
    int | None, typer.Option(help="Which draw; the replication's own number by default, -1 for the defaults.", min=-1)
]


@contextmanager
def errors_told() -> Iterator[None]:
    """Tell bad input in one paragraph on standard error and exit with 2; a closed pipe is no error."""
    from sim.parameters import InputError

    try:
        yield
    except InputError as error:
        sys.stderr.write(f"error: {error}\n")
        raise typer.Exit(BAD_INPUT) from None
    except BrokenPipeError:
        # Whoever read our output has had enough; keep Python from complaining when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None


def console() -> "Console":
    """Standard output, as wide as the terminal, or wide enough for a table in a pipe."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 120, highlight=False)


def scenario_from(path: Path, settings: list[str], days: int | None, known: str | None) -> "tuple[Scenario, list[str]]":
    """A scenario as the options change it, and lines about values that were replaced because they came later."""
    from sim.parameters import InputError, near_miss
    from sim.scenario import known_early, parse_setting
    from sim.scenario_files import load

    scenario = load(path)
    if settings or days is not None:
        scenario = scenario.with_values(dict(parse_setting(text) for text in settings), days)
    if known is None or known == "H":
        return scenario, []
    if known != "E":
        raise InputError(f"--known {known!r} is not one of 'E', 'H'{near_miss(known.upper(), 'EH')}")
    return known_early(scenario)


def baseline_beside(path: Path) -> "Scenario | None":
    """The baseline in the scenario's folder, to tell what differs."""
    from sim.scenario_files import load

    beside = path.parent / "baseline.toml"
    return load(beside) if beside.is_file() else None


@contextmanager
def progress(is_shown: bool) -> Iterator[Callable[[str, int, int], None] | None]:
    """A progress bar with stage, rate and time left on a terminal, nothing in a pipe."""
    if not is_shown or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TaskProgressColumn(show_speed=True),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def tell(stage: str, n: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=n)

        yield tell


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet; whatever stands there is never overwritten."""
    from sim.parameters import InputError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise InputError(f"{path}: a file of that name stands there; name another one") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None
