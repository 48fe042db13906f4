"""Every example in README.md and docs/ runs, and links between documents lead somewhere."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from sim.scenario_files import parse

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "seeds" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


def commands() -> list[tuple[Path, str, list[tuple[str, list[str]]]]]:
    """Console blocks with at least one command of ours: page, name, and each command with the lines quoted below it."""
    found = []
    for page in PAGES:
        for number, block in enumerate(blocks(page, "console"), 1):
            parts = re.split(r"^\$ ", block, flags=re.M)[1:]
            told = [part.split("\n", 1) for part in parts if part.startswith("python -m ")]
            if told:
                name = f"{page.relative_to(ROOT)} block {number}"
                found.append((page, name, [(line.split("  #")[0], quoted.splitlines()) for line, quoted in told]))
    return found


# What is another one each time: seconds, the minute of writing, bytes on a disk. In a table the room around them moves too.
MOVING = (
    (r"\b\d+(\.\d+)? s\b|\d{4}-\d\d-\d\d \d\d:\d\d|\b[\d,.]+ [kM]?B\b", "#"),
    (r'"(seconds|written)": [^,}]+', r'"\1": #'),
    (r" +#", " #"),
)


def settled(line: str) -> str:
    for pattern, fixed in MOVING:
        line = re.sub(pattern, fixed, line)
    return line.rstrip()


def first_that_differs(quoted: list[str], printed: list[str]) -> str | None:
    """The first quoted line that was not printed in its place; "..." stands for the rest of a line, or for any lines."""
    lines = iter(map(settled, printed))
    may_skip = False
    for wanted in map(settled, quoted):
        if wanted == "...":
            may_skip = True
            continue
        start = wanted.removesuffix("...")
        for line in lines:
            if line == wanted or (start != wanted and line.startswith(start)):
                break
            if not may_skip:
                return f"quoted:  {wanted}\nprinted: {line}"
        else:
            return f"quoted:  {wanted}\nprinted: nothing more"
        may_skip = False
    rest = None if may_skip or not quoted else next(lines, None)
    return None if rest is None else f"printed besides: {rest}"


@pytest.fixture(scope="module")
def checkouts(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """For each page a copy to run in, so that examples that write leave nothing behind and see their own page's results."""

    @cache
    def made(page: Path) -> Path:
        place = tmp_path_factory.mktemp("checkout")
        for name in ("sim", "seeds", "scenarios", "experiments", "benchmarks"):
            shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        return place

    return made


@pytest.mark.parametrize(("page", "where", "examples"), commands(), ids=[where for _, where, _ in commands()])
def test_every_example_runs_and_prints_what_is_quoted(
    page: Path, where: str, examples: list[tuple[str, list[str]]], checkouts: Callable[[Path], Path]
) -> None:
    for line, quoted in examples:
        words = [sys.executable, *shlex.split(line)[1:]]
        done = subprocess.run(words, capture_output=True, text=True, cwd=checkouts(page), timeout=120)
        assert done.returncode == 0, f"{where}: {line}\n{done.stderr}"
        assert done.stdout.strip(), f"{where}: {line} printed nothing"
        # Some examples show what was told on standard error first.
        printed = [told.strip("\n").splitlines() for told in (done.stdout, done.stderr + done.stdout)]
        differs = [first_that_differs(quoted, lines) for lines in printed]
        assert None in differs, f"{where}: {line}\n{differs[0]}"


@pytest.mark.parametrize(("quoted", "differs"), [
    ([], False),
    (["one", "two 1.0 s", "three"], False),
    (["one", "..."], False),
    (["one", "...", "three"], False),
    (["...", "three"], False),
    (["one", "t...", "th..."], False),
    (["one"], True),
    (["one", "three"], True),
    (["one", "..", "three"], True),
    (["one", "two", "three"], True),
    (["one", "two 2.5 s", "three", "four"], True),
    (["one", "...", "four"], True),
    (["one", "x...", "three"], True),
])  # fmt: skip
def test_what_is_quoted_is_compared(quoted: list[str], differs: bool) -> None:
    """Otherwise a quotation that nothing prints any more would stand."""
    assert (first_that_differs(quoted, ["one ", "two 2.5 s", "three"]) is not None) == differs


def test_there_are_examples_to_run() -> None:
    assert sum(len(told) for *_, told in commands()) >= 15
    assert sum(bool(quoted) for *_, told in commands() for _, quoted in told) >= 15


def test_the_readme_shows_a_scenario_that_is_valid() -> None:
    (text,) = blocks(ROOT / "README.md", "toml")
    scenario = parse(text.replace('extends = "baseline.toml"', ""), "README")
    assert scenario.shocks
    assert scenario.answers


def test_every_target_that_the_readme_names_is_in_the_makefile() -> None:
    named = set(re.findall(r"`?make (\w+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    assert {"app", "run", "test", "bench"} <= named & targets


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_nothing_committed_names_a_machine() -> None:
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=False).stdout.split()
    assert listed
    place = re.compile(r"(?<![\w.-])/(?:w" r"ork|t" r"mp|home/\w+)/\w")  # and no part of an address
    for name in listed:
        path = ROOT / name
        if path.suffix in {".png", ".parquet"} or not path.is_file():
            continue
        assert not place.search(path.read_text(encoding="utf-8", errors="ignore")), name
