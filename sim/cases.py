"""Cases: past requests as scenarios, with a record of what was said and counted that no simulation reads.

A case is one file of seeds/cases/. To add a case is to add a file: scores, calibration, tests and the app find it there.
What counts as yes, no or unknown is told in docs/history.md and stands in `sim.record.ANSWERS`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from sim.parameters import SEEDS, InputError, near_miss
from sim.record import ANSWERS, DATED, About, Observed, Troops
from sim.scenario import Scenario
from sim.scenario_files import load_with_record

FOLDER = SEEDS / "cases"
EVERYBODY = "ALL"
# Days by which a dated answer may lie off, before and after.
_OFF = {"day": (0, 0), "approx": (3, 3), "week": (7, 7), "month": (15, 15), "year": (182, 182)}


class Window(NamedTuple):
    """When a state first said yes: after day `after`, and by day `by`; None: not by `after`, nothing is known beyond."""

    after: int
    by: int | None


@dataclass(frozen=True)
class Case:
    """A past request.

    scenario
        What is simulated.
    about, observed, troops
        What is known of it; see `sim.record`.
    """

    scenario: Scenario
    about: About
    observed: tuple[Observed, ...]
    troops: tuple[Troops, ...]

    @property
    def name(self) -> str:
        """The name of its file without the ending."""
        return self.scenario.name

    @cached_property
    def answers(self) -> dict[str, bool]:
        """By postal code, whether the state ever agreed within the days simulated; states of which nothing is known are missing.

        One yes outweighs refusals before and after it (a first request taken and a second refused is a yes with limits; a
        refusal before any request counts only where no yes followed).
        """
        found: dict[str, bool] = {}
        for row in self.within:
            said = ANSWERS[row.answer]
            if row.state != EVERYBODY and said is not None:
                found[row.state] = found.get(row.state, False) or said
        return found

    @cached_property
    def within(self) -> tuple[Observed, ...]:
        """Rows of the days simulated; a row without a day counts as one of them."""
        return tuple(row for row in self.observed if row.day is None or row.day <= self.scenario.days)

    @cached_property
    def has_refusals(self) -> bool:
        """Whether anybody refused."""
        return not all(self.answers.values())

    @property
    def assumes_consent(self) -> bool:
        """Whether the scenario itself says which kind of mission it was."""
        return "support.mission" in self.scenario.values

    @cached_property
    def yes_days(self) -> dict[str, Window]:
        """By postal code, when a state first agreed; only where its own answer has a day, or silence up to a day is known."""
        found: dict[str, Window] = {}
        for row in self.within:
            if row.state == EVERYBODY or row.day is None or row.state in found:
                continue
            if row.answer == "no_contribution":
                if not self.answers[row.state]:
                    found[row.state] = Window(row.day, None)
            elif row.answer in DATED and ANSWERS[row.answer]:
                if row.precision == "by":
                    found[row.state] = Window(-1, row.day)
                else:
                    before, behind = _OFF[row.precision]
                    found[row.state] = Window(max(row.day - 1 - before, -1), row.day + behind)
        return found

    @cached_property
    def signed(self) -> tuple[tuple[int, int], ...]:
        """(day, how many states had agreed by then), from statements about many."""
        rows = (row for row in self.within if row.state == EVERYBODY)
        return tuple((row.day, row.states) for row in rows if row.day is not None and row.states is not None)

    @cached_property
    def withdrawals(self) -> dict[str, int | None]:
        """By postal code, the day on which a state first took its agreement back (None: a month is all that is known)."""
        found: dict[str, int | None] = {}
        for row in self.within:
            if row.answer == "withdraw":
                found.setdefault(row.state, row.day)
        return found

    @property
    def incidents(self) -> tuple[int, ...]:
        """Days of the negative incidents and court orders that the scenario dates."""
        kinds = ("incident", "court_order")
        return tuple(
            s.day for s in self.scenario.shocks if s.kind in kinds and (getattr(s, "size", None) or -1.0) < 0.0
        )

    def without_memory(self) -> "Case":
        """The case without rows that rest on memory."""
        return replace(
            self,
            observed=tuple(row for row in self.observed if not row.from_memory),
            troops=tuple(row for row in self.troops if not row.from_memory),
        )

    def with_police_as(self, answer: str) -> "Case":
        """The case with police sent instead of the Guard taken as another answer, to see what hangs on that choice."""
        rows = (
            row.model_copy(update={"answer": answer}) if row.answer == "police_only" else row for row in self.observed
        )
        return replace(self, observed=tuple(rows))


def load_case(path: Path | str) -> Case:
    """Read and check a case file; raises InputError as `scenario_files.load` does."""
    path = Path(path)
    scenario, document = load_with_record(path)
    if document.case is None:
        raise InputError(f"{path}: [case] is missing, so this is a scenario and no case")
    case = Case(scenario, document.case, tuple(document.observed), tuple(document.troops))
    _check(case, str(path))
    return case


def load_cases(folder: Path | str = FOLDER, names: Iterable[str] = ()) -> list[Case]:
    """The cases of a folder in the order of time, or those named."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder of cases")
    cases = sorted(
        (load_case(path) for path in folder.glob("*.toml")), key=lambda case: (case.scenario.start, case.name)
    )
    known = [case.name for case in cases]
    for name in names:
        if name not in known:
            raise InputError(f"{name!r} is not a case of {folder}{near_miss(name, known)}")
    return [case for case in cases if not names or case.name in set(names)]


def _check(case: Case, where: str) -> None:
    """What no single row can get wrong: unknown sources and states, rows out of order, states asked without covariates."""
    world, scenario = case.scenario.world, case.scenario
    last: dict[str, int] = {}
    for number, row in enumerate(case.observed, 1):
        key = f"{where}: observed[{number}]"
        _check_sources(case, row.source, key)
        if row.state == EVERYBODY:
            if row.states is None:
                raise InputError(f"{key}: a row of ALL says how many: states is missing")
        else:
            if row.states is not None:
                raise InputError(f"{key}.states goes with state = 'ALL', found {row.state!r}")
            if not world.states[world.position(row.state, f"{key}.state")].has_governor:
                raise InputError(f"{key}.state = {row.state!r} has no governor, so no answer to give")
            if row.party_basis is None:
                raise InputError(f"{key}.party_basis is missing: 'source' or 'memory'")
        if row.day is not None:
            if row.day < last.get(row.state, 0):
                raise InputError(f"{key}: the rows of {row.state} must stand in the order of time")
            last[row.state] = row.day
        elif row.precision == "day":
            raise InputError(f"{key}.day is missing, so precision must say what is known: month or year")
    for number, count in enumerate(case.troops, 1):
        key = f"{where}: troops[{number}]"
        _check_sources(case, count.source, key)
        if count.scope != "all":
            world.position(count.scope, f"{key}.scope")
    listed = {row.state for row in scenario.states}
    asked = [scenario.value("request.asked"), *(change.values.get("request.asked") for change in scenario.changes)]
    for state in world.states:
        named = any(
            choice in ("all", "same_side")
            or (choice == "border" and state.on_border)
            or (isinstance(choice, list) and state.code in choice)
            for choice in asked
        )
        if named and state.code not in listed:
            raise InputError(
                f"{where}: states lacks {state.code}, which is asked: a case carries the covariates of its own date"
            )


def _check_sources(case: Case, keys: list[str], where: str) -> None:
    for key in keys:
        if key not in case.about.sources:
            hint = near_miss(key, case.about.sources)
            raise InputError(f"{where}.source = {key!r} is not a key of [case.sources]{hint}")
