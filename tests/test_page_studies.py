"""Sensitivity and discovery: made in the background, loaded from results, told in words; and what to install."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from sim import inquiry
from sim.experiments import digest_of, run
from sim.pages import studies, waiting
from sim.parameters import InputError
from sim.scenario import Scenario
from sim.sharing import Shared, link_of
from sim.studies import Condition
from tests.pages import few_runs, now, opened, shown, texts

SHORT = Scenario(
    "short", "A <b>short</b> one", "What then?", days=30, values={"review.days": 5, "capacity.target": 1000}
)
THREE = ("support.mission", "decide.pace", "volunteers.share")


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with few_runs(monkeypatch):
        yield


def job_of(app: AppTest) -> waiting.Job:
    job = waiting.jobs().about(f"study/{now(app).scenario.digest}")[0]
    assert job.done.wait(200)
    return job


def asked(method: str, n: int) -> AppTest:
    pytest.importorskip("SALib")
    kept = {"study/method": method, f"study/n/{method}": n}
    if method != "morris":
        kept[f"study/names/{method}"] = list(THREE)
    return opened("studies", link_of(Shared(SHORT, 1, 100)), **kept)


def test_a_sobol_study_is_made_in_the_background_and_found_again() -> None:
    app = asked("sobol", 16)
    assert "80 runs: 3 uncertainties vary" in texts(app)
    app.button(key="study/start").click().run()
    job = job_of(app)
    assert job.error is None
    app.run()
    told = texts(shown(app))
    effects = job.result.effects["states_agreeing"]
    app.selectbox(key="study/effects").set_value("states_agreeing").run()
    told = texts(shown(app))
    assert (
        inquiry.effect_in_words(
            job.result.experiment, "Governors who agree on the last day, with limits or without", effects, ""
        )
        in told
    )
    assert "<b>" not in " ".join(header.value for header in app.header).replace("\\<", "")
    again = opened("studies", link_of(Shared(SHORT, 1, 100)))
    assert "80 runs at 80 points of 3 values that vary" in texts(again)


def test_boxes_are_told_in_words_with_coverage_and_density(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ema_workbench")
    experiment = inquiry.planned(SHORT, "lhs", 200, 1, THREE)
    rows = inquiry.made(experiment)
    stages: list[str] = []
    found = inquiry.analysed(
        experiment, rows, Condition("states_agreeing", ">=", 10.0), lambda stage, n, total: stages.append(stage)
    )
    assert set(stages) == {"looking for boxes by PRIM", "looking for boxes by CART"}
    box = (found.boxes or {})["PRIM"][0]
    assert inquiry.box_in_words(box, found.n_reaching) == (
        f"{box.n_reaching:,} of the {box.n_runs:,} runs inside reach it: a density of {100 * box.density:.0f} %. They are "
        f"{100 * box.coverage:.0f} % of the {found.n_reaching:,} runs that reach it: the coverage."
    )
    assert box.coverage == pytest.approx(box.n_reaching / found.n_reaching)
    app = opened("studies", link_of(Shared(SHORT, 1, 100)))
    waiting.jobs().start("k", "Boxes", f"study/{SHORT.digest}", lambda tell: found, "me")
    job_of(app)
    app.run()
    told = texts(shown(app))
    assert inquiry.box_in_words(box, found.n_reaching) in told
    for line in inquiry.conditions_in_words(box, found.ends or {}):
        assert line in told
    assert "they do not say how likely conditions are" in told


def test_a_condition_that_nobody_reaches_is_said_in_words() -> None:
    pytest.importorskip("scipy")
    experiment = inquiry.planned(SHORT, "lhs", 20, 1, THREE)
    with pytest.raises(InputError, match="none of 20 runs reaches it"):
        inquiry.analysed(experiment, inquiry.made(experiment), Condition("states_agreeing", ">=", 55.0))


@pytest.mark.parametrize("method", inquiry.METHODS)
def test_what_is_missing_is_said_with_how_to_install_it(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inquiry, "find_spec", lambda name: None)
    app = opened("studies", **{"study/method": method})
    said = shown(app).info[0].value.replace("\\", "")
    assert "not installed: pip install -r requirements-lab.txt" in said
    assert not [button for button in app.button if button.key == "study/start"]


def test_a_stored_sweep_is_loaded_by_its_name_and_nothing_else_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("SALib")
    experiment = inquiry.planned(SHORT, "sobol", 16, 1, THREE)
    rows = run(experiment, tmp_path / "results" / "mine")
    assert inquiry.stored_sweeps(tmp_path / "results") == ["mine"]
    found, loaded = inquiry.loaded("mine", tmp_path / "results")
    assert digest_of(loaded) == digest_of(rows) and found.digest == experiment.digest
    for name in ("../secret", "other", str(tmp_path)):
        with pytest.raises(InputError, match="no finished sweep called"):
            inquiry.loaded(name, tmp_path / "results")
    monkeypatch.setattr(studies.inquiry, "stored_sweeps", lambda: ["mine"])
    monkeypatch.setattr(studies.inquiry, "loaded", lambda name: (found, loaded))
    app = opened("studies", **{"study/from": studies.STORED})
    app.button(key="study/load").click().run()
    job_of(app)
    app.run()
    assert "Stored study mine" in texts(shown(app))


def test_without_stored_studies_it_says_how_to_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studies.inquiry, "stored_sweeps", lambda: [])
    app = opened("studies", **{"study/from": studies.STORED})
    assert "python -m sim sensitivity" in shown(app).info[0].value


def test_only_what_a_scenario_leaves_open_can_vary() -> None:
    names = inquiry.open_uncertainties(SHORT)
    assert "review.days" not in names and "support.mission" in names
    assert set(names) == {factor.name for factor in inquiry.planned(SHORT, "morris", 2, 1).factors}
    ranged = Scenario("r", "R", "?", days=30, values={"support.mission": 0.0}, ranges={"support.mission": (-1.0, 0.5)})
    assert inquiry.planned(ranged, "sobol", 16, 1, ("support.mission",)).factors[0].ends == (-1.0, 0.5)
