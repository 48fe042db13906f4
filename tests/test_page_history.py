"""The page History: what it shows is what the scores say, and every case can be looked at."""

import numpy as np
import pytest

from sim import plots_history
from sim.cases import load_cases
from sim.misses import verdict, where_it_fails
from sim.pages import history
from tests.pages import opened, texts

NAMES = [case.name for case in load_cases()]


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "RUNS", 40)


def test_bad_scores_and_where_it_fails_are_told_as_they_are() -> None:
    told = texts(opened("history"))
    scores = history._scored(history.model_version())
    for line in [*verdict(scores), *where_it_fails(scores)]:
        assert line in told


@pytest.mark.parametrize("name", NAMES)
def test_every_case_is_shown_with_its_counts(name: str) -> None:
    at = opened("history", **{"history/case": name})
    case = next(case for case in load_cases() if case.name == name)
    told = texts(at)
    assert case.scenario.question in told
    assert ("counts lie in the band" in told) == any(
        row.scope == "all" and not row.by_place and row.measure not in ("ordered", "planned", "target")
        for row in case.troops
    )


def test_a_count_stands_on_the_bands_of_its_day() -> None:
    simulated = np.tile(np.arange(0, 101)[:, np.newaxis], (1, 11))
    figure = plots_history.replay(simulated, [(4, 60), (10, 120)], 100.0)
    names = {trace.name: trace for trace in figure.data}
    assert list(names["counted"].x) == [4, 10] and list(names["counted"].y) == [60, 120]
    assert set(names["median"].y) == {50}
    assert figure.layout.yaxis.range[1] >= 120


def test_a_state_is_drawn_once_by_what_it_said_and_what_the_model_gave() -> None:
    squares = {"AA": (0, 0), "BB": (1, 0), "CC": (0, 1)}
    figure = plots_history.answers(squares, {"AA": "said no, model likely", "BB": "said yes, model likely"})
    drawn = {trace.name: [text for text in trace.text if text] for trace in figure.data}
    assert drawn["said no, model likely (n)"] == ["AA<br>n"]
    assert drawn["said yes, model likely (Y)"] == ["BB<br>Y"]
    assert drawn["answer not known"] == ["CC<br>"]
