"""Every example in README.md and docs/ runs, and links between documents lead somewhere."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sim.scenario_files import parse

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "seeds" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


def commands() -> list[tuple[str, list[str]]]:
    """Console blocks with at least one command of ours, by page and number."""
    found = []
    for page in PAGES:
        for number, block in enumerate(blocks(page, "console"), 1):
            lines = [line.removeprefix("$ ").split("  #")[0] for line in block.splitlines() if line.startswith("$ ")]
            ours = [line for line in lines if line.startswith("python -m ")]
            if ours:
                found.append((f"{page.relative_to(ROOT)} block {number}", ours))
    return found


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy to run in, so that examples that write leave nothing behind."""
    place = tmp_path_factory.mktemp("checkout")
    for name in ("sim", "seeds", "scenarios", "experiments", "benchmarks"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    return place


@pytest.mark.parametrize(("where", "lines"), commands(), ids=[where for where, _ in commands()])
def test_every_example_runs(where: str, lines: list[str], checkout: Path) -> None:
    for line in lines:
        words = [sys.executable, *shlex.split(line)[1:]]
        done = subprocess.run(words, capture_output=True, text=True, cwd=checkout, timeout=120)
        assert done.returncode == 0, f"{where}: {line}\n{done.stderr}"
        assert done.stdout.strip(), f"{where}: {line} printed nothing"


def test_there_are_examples_to_run() -> None:
    assert sum(len(lines) for _, lines in commands()) >= 15


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
