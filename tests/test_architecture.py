"""Imports only point down, by full name, and every library has one home."""

import ast
from pathlib import Path

import pytest

from sim import store

ROOT = Path(__file__).resolve().parents[1]
# From the ground up: a module imports only modules that stand before it. The app and its pages stand on top.
ORDER = (
    "luck parameters parallel jobs texts world facts people governors shocks record scenario scenario_files sharing contest results bands setting shared reasons outcomes summary plots plots_run plots_history closeups influence "
    "cohorts mobilization states requester channels model packed kernel compiled ensemble blocks passport store store_bands stored lake report export story single comparison exercises worksheets designs experiments studies precision breakeven capacity information sensitivity discovery inquiry cases scores replays history misses likelihoods consent ramps calibration rewrite classroom commands pages __main__ app"
).split()
HOMES = {
    "simpy": "shared cohorts mobilization states requester channels model",
    "plotly": "plots plots_run plots_history closeups",
    "streamlit": "app pages classroom",
    "multiprocessing distributed": "parallel",
    "numba": "kernel compiled",
    "pyarrow": "store store_bands experiments export",
    "duckdb": "lake",
    "starlette uvicorn": "classroom",
    "segno": "commands",
    "rich typer": "report story comparison commands",
}
FILES = [
    *sorted(path for path in (ROOT / "sim").rglob("*.py") if path != ROOT / "sim" / "__init__.py"),
    *sorted(path for pattern in ("app.py", "pages/**/*.py", "app_pages/**/*.py") for path in ROOT.glob(pattern)),
]
every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))


def module_of(path: Path) -> str:
    """The module, or the package inside `sim` that a file belongs to."""
    if path.is_relative_to(ROOT / "sim"):
        return path.relative_to(ROOT / "sim").with_suffix("").parts[0]
    return "app"


def imported(path: Path) -> list[str]:
    """What a file imports, wherever in it, by full name; `from sim import x` is `sim.x`; a relative import begins with a dot."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names += [f"sim.{alias.name}" for alias in node.names] if module == "sim" else [module]
    return names


@every_file
def test_imports_only_point_down(path: Path) -> None:
    here = ORDER.index(module_of(path))
    for name in imported(path):
        assert not name.startswith(".") and name != "sim", f"{name}: import modules by their full name"
        if name.startswith("sim."):
            below = name.split(".")[1]
            assert below == module_of(path) or ORDER.index(below) < here, f"{module_of(path)} stands below {below}"


@every_file
@pytest.mark.parametrize("libraries", HOMES)
def test_every_library_has_one_home(path: Path, libraries: str) -> None:
    roots = {name.split(".")[0] for name in imported(path)}
    assert module_of(path) in HOMES[libraries].split() or not roots & set(libraries.split())


def test_every_file_that_is_taken_away_is_kept_until_it_has_been_fetched() -> None:
    """Streamlit's own button alone would lose it in a class."""
    with_button = {path.name for path in FILES if "st.download_button(" in path.read_text(encoding="utf-8")}
    assert with_button == {"files.py"}


def test_every_source_that_numbers_pass_through_is_hashed() -> None:
    """What `ensemble` and `designs` import, however far down."""
    found, todo = set(), ["ensemble", "designs"]
    while todo:
        here = todo.pop()
        found.add(here)
        for path in FILES:
            if path.is_relative_to(ROOT / "sim") and module_of(path) == here:
                names = {name.split(".")[1] for name in imported(path) if name.startswith("sim.")}
                todo += names - found
    assert found == {name.split("/")[0] for name in store.SOURCES.split()}


def test_the_package_itself_imports_nothing() -> None:
    assert imported(ROOT / "sim" / "__init__.py") == []
