"""The app without a browser: it opens on the baseline, every control works, and bad input is told."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from sim import ensemble
from sim.parameters import register
from sim.results import Ensemble
from sim.scenario_files import listed, load

ROOT = Path(__file__).resolve().parents[1]
APP, FOLDER = ROOT / "app.py", ROOT / "scenarios"
FEW = 3  # the third draw brings enough people for seats to matter
SLIDERS = [
    "request.target",
    "request.deadline_days",
    "rounds.most",
    "volunteers.share",
    "support.mission",
    "training.seats",
    "tour.days",
]
CHOICES = ["request.asked", "request.mode", "request.status"]
run_ensemble = ensemble.run_ensemble


@pytest.fixture
def few_runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Ensemble]]:
    """The app with few runs, here and not on other processes; yields what it has run so far."""
    found: list[Ensemble] = []

    def run_few(scenario: Any, seed: int, draws: int | None, replications: int, **options: Any) -> Ensemble:
        found.append(run_ensemble(scenario, seed, draws, FEW, with_twins=False, progress=options["progress"]))
        return found[-1]

    monkeypatch.setattr(ensemble, "run_ensemble", run_few)
    st.cache_data.clear()
    yield found
    st.cache_data.clear()


def opened(app: Path = APP) -> AppTest:
    page = AppTest.from_file(str(app), default_timeout=60).run()
    assert not page.exception
    return page


def texts(page: AppTest) -> str:
    kinds = (page.title, page.header, page.subheader, page.markdown, page.error, page.warning, page.info)
    return "\n".join(str(element.value).replace("\\", "") for kind in kinds for element in kind)


def digest(page: AppTest) -> str:
    return texts(page).split("digest ")[1].split(";")[0]


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """A copy of the app with scenario files of one's own beside it."""

    def copied(**files: str) -> Path:
        shutil.copy(APP, tmp_path)
        (tmp_path / "scenarios").mkdir()
        for name, text in files.items():
            (tmp_path / "scenarios" / f"{name}.toml").write_text(text, encoding="utf-8")
        return tmp_path / "app.py"

    return copied


def document(more: str = "", title: str = "A scenario", question: str = "What then?") -> str:
    return f'schema = 1\ntitle = "{title}"\nquestion = "{question}"\ndays = 40\n{more}\n'


def test_the_page_shows_what_the_command_line_would_with_worker_processes() -> None:
    st.cache_data.clear()
    page = opened()
    st.cache_data.clear()
    expected = run_ensemble(load(FOLDER / "baseline.toml"), 1, replications=20, with_twins=False)
    assert digest(page) == expected.digest[:12]
    assert "20 runs" in texts(page)


def test_it_opens_on_the_baseline_with_everything_that_a_reader_needs(few_runs: list[Ensemble]) -> None:
    page, told = opened(), ""
    told = texts(page)
    assert page.selectbox(key="scenario").value == "baseline"
    assert len(page.metric) == 3
    assert page.metric[0].value.endswith("of 53")
    assert len(page.get("plotly_chart")) == len(page.table) == 2
    assert "governors agree on day 180" in told
    assert "Not a forecast" in told
    assert "Commanded by the governor, paid by the federal government" in told
    assert "Nothing." in told
    assert few_runs[0].digest[:12] in told


def test_claims_of_the_first_screen_are_on_it(few_runs: list[Ensemble]) -> None:
    told = texts(opened())
    for words in (
        "no earlier example",
        "in how many states the answer would be yes",
        "how soon troops would be in place",
    ):
        assert words in told


def test_each_chart_has_its_result_as_an_alternative_and_a_table_of_the_same_days(few_runs: list[Ensemble]) -> None:
    page = opened()
    for chart, words in zip(page.get("plotly_chart"), ("of 53", "20,000 are asked for"), strict=True):
        assert words in chart.proto.alt
    for table in page.table:
        assert list(table.value["day"]) == [str(day) for day in range(0, 181, 30)]
        assert {"5 %", "25 %", "median", "75 %", "95 %"} < set(table.value.columns)


@pytest.mark.parametrize("path", listed(FOLDER), ids=lambda path: path.stem)
def test_every_scenario_file_can_be_chosen(few_runs: list[Ensemble], path: Path) -> None:
    page = opened()
    page.selectbox(key="scenario").select(path.stem).run()
    scenario = load(path)
    assert not page.exception
    assert not page.error
    assert page.main.header[0].value.replace("\\", "") == scenario.title
    assert scenario.question in texts(page)
    assert few_runs[-1].scenario.digest == scenario.digest
    differ = scenario.differences(load(FOLDER / "baseline.toml"))
    assert texts(page).count("(baseline: ") == len(differ)


@pytest.mark.parametrize("name", SLIDERS)
def test_a_slider_is_made_from_the_register_and_runs_at_both_ends(few_runs: list[Ensemble], name: str) -> None:
    page, entry = opened(), register()[name]
    first = digest(page)
    slider = page.slider(key=f"baseline/{name}")
    assert entry.range is not None
    assert (slider.min, slider.max, slider.value) == (*entry.range, entry.value)
    assert entry.label in slider.label
    assert ("(assumption)" in slider.label) == (entry.source == "assumption")
    assert entry.source.replace(",", "") in slider.help.replace("\\", "").replace(",", "")
    steps = [(end - slider.min) / slider.step for end in (slider.max, slider.value)]
    assert steps == pytest.approx([round(step) for step in steps])
    digests = set()
    for end in entry.range:
        page.slider(key=f"baseline/{name}").set_value(end).run()
        assert not page.exception
        assert not page.error
        moved = few_runs[-1].scenario.values
        assert end == entry.value or moved[name] == end
        digests.add(digest(page))
    assert digests != {first}


@pytest.mark.parametrize("name", CHOICES)
def test_every_choice_runs(few_runs: list[Ensemble], name: str) -> None:
    page = opened()
    for choice in register()[name].choices:
        page.selectbox(key=f"baseline/{name}").set_value(choice).run()
        assert not page.exception
        assert not page.error
        assert few_runs[-1].scenario.value(name) == choice


def test_a_control_that_is_not_moved_leaves_its_parameter_uncertain_and_one_that_is_holds_it(
    few_runs: list[Ensemble],
) -> None:
    page = opened()
    assert "volunteers.share" not in few_runs[-1].scenario.values
    page.slider(key="baseline/volunteers.share").set_value(0.06).run()
    assert few_runs[-1].scenario.values["volunteers.share"] == 0.06
    assert "Share that volunteers: 0.06 in every run (baseline: 0.05)" in texts(page)
    assert "(changed)" in texts(page)
    page.slider(key="baseline/volunteers.share").set_value(0.05).run()
    assert digest(page) == few_runs[0].digest[:12]
    assert "(changed)" not in texts(page)


def test_a_range_that_a_scenario_gives_stays_while_its_control_stands_still(few_runs: list[Ensemble]) -> None:
    page = opened()
    page.selectbox(key="scenario").select("local_cost_regime").run()
    assert page.slider(key="local_cost_regime/support.mission").value == -3.5
    assert few_runs[-1].scenario.ranges == {"support.mission": (-4.5, -2.5)}


def test_the_seed_changes_the_result_and_is_told(few_runs: list[Ensemble]) -> None:
    page = opened()
    first = digest(page)
    page.number_input(key="seed").set_value(2**31 - 1).run()
    assert digest(page) != first
    assert "seed 2147483647" in texts(page)


def test_the_same_question_is_run_once(few_runs: list[Ensemble]) -> None:
    page = opened()
    page.slider(key="baseline/tour.days").set_value(60).run()
    page.slider(key="baseline/tour.days").set_value(90).run()
    opened()
    assert len(few_runs) == 2


def test_values_beyond_a_plausible_range_are_run(few_runs: list[Ensemble], folder: Callable[..., Path]) -> None:
    more = """[request]
    target = 150003
    asked = ["TX", "FL"]
    deadline_days = 3
    [tour]
    days = 400
    [rounds]
    most = 40
    [assumptions]
    "volunteers.share" = 0.00037
    "support.mission" = -7
    "training.seats" = 0
    """
    page = opened(folder(baseline=document(more)))
    assert not page.error
    assert page.slider(key="baseline/request.target").value == page.slider(key="baseline/request.target").max == 150_003
    assert page.slider(key="baseline/volunteers.share").min == 0.00037
    assert page.selectbox(key="baseline/request.asked").value == ["TX", "FL"]
    assert few_runs[-1].scenario.digest == load(Path(page._script_path).parent / "scenarios" / "baseline.toml").digest


def test_a_broken_file_is_told_and_stops_nothing(few_runs: list[Ensemble], folder: Callable[..., Path]) -> None:
    broken = {
        "no_toml": "schema = [",
        "too_far": document("[request]\ntarget = -5"),
        "misspelt": document("[reqest]\ntarget = 5"),
    }
    page = opened(folder(baseline=document(), **broken))
    told = [warning.value.replace("\\", "") for warning in page.warning]
    assert len(told) == len(broken)
    assert all(text.startswith("Left out: scenarios/") for text in told)
    assert "did you mean 'request'" in "".join(told)
    assert page.selectbox(key="scenario").options == ["A scenario"]
    assert len(page.metric) == 3


@pytest.mark.parametrize("files", [{}, {"baseline": "title = 1"}], ids=["none", "broken"])
def test_a_folder_without_a_readable_scenario_is_told(folder: Callable[..., Path], files: dict[str, str]) -> None:
    page = opened(folder(**files))
    assert [error.value for error in page.error] == [
        "There is no scenario that can be read, so there is nothing to run."
    ]


def test_without_a_baseline_the_first_scenario_is_shown(few_runs: list[Ensemble], folder: Callable[..., Path]) -> None:
    assert "There is no baseline to compare with." in texts(opened(folder(alone=document())))


def test_input_that_contradicts_itself_is_told_in_words(
    few_runs: list[Ensemble], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Ensemble:
        raise ensemble.InputError("tour.days = 9 is *not* allowed")

    monkeypatch.setattr(ensemble, "run_ensemble", refuse)
    page = opened()
    assert [error.value.replace("\\", "") for error in page.error] == ["tour.days = 9 is *not* allowed"]
    assert not page.metric


def failing(monkeypatch: pytest.MonkeyPatch, failed: int) -> None:
    """The first so many runs fail."""
    reduced = ensemble.reduced

    def fail(scenario: Any, seed: int, pair: Any, with_events: bool) -> Any:
        return "ValueError: a rule broke" if pair[1] < failed else reduced(scenario, seed, pair, with_events)

    monkeypatch.setattr(ensemble, "reduced", fail)


def test_runs_that_fail_are_told(few_runs: list[Ensemble], monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, 1)
    page = opened()
    assert [text.value.replace("\\", "") for text in page.warning] == [
        f"1 of {FEW} runs failed and are left out; the first said: ValueError: a rule broke"
    ]
    assert len(page.metric) == 3


def test_no_result_is_made_up_when_every_run_fails(few_runs: list[Ensemble], monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, FEW)
    page = opened()
    assert "a rule broke" in page.error[0].value
    assert not page.metric


def test_half_that_is_never_in_place_is_said_and_not_given_a_day(
    few_runs: list[Ensemble], folder: Callable[..., Path]
) -> None:
    page = opened(folder(baseline=document('[assumptions]\n"training.seats" = 0')))
    assert "no run has half of the 20,000 in place by day 40" in texts(page)
    assert page.metric[2].value == "not in half of the runs"
    assert page.metric[2].delta == "5 to 95 % of runs: never to never"


def test_a_lost_worker_process_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def lose_once(*args: Any, executor: Any = None, **options: Any) -> Ensemble:
        asked.append(executor)
        if executor is not None:
            raise RuntimeError("A process in the process pool was terminated abruptly")
        return run_ensemble(args[0], args[1], args[2], FEW, with_twins=False)

    monkeypatch.setattr(ensemble, "run_ensemble", lose_once)
    st.cache_data.clear()
    page = opened()
    st.cache_data.clear()
    assert len(page.metric) == 3
    assert len(asked) == 2
    assert asked[1] is None


def test_words_of_a_scenario_are_text_and_nothing_else(few_runs: list[Ensemble], folder: Callable[..., Path]) -> None:
    picture = "![x](http://example.org/x.png) <b>bold</b> $x$ :red[y]"
    page = opened(folder(baseline=document(title=picture, question=picture)))
    for element in (*page.header, *page.markdown):
        assert "![" not in element.value
        assert "<b>" not in element.value


def test_downloads_are_named_after_what_was_run(few_runs: list[Ensemble]) -> None:
    page = opened()
    assert [button.proto.label for button in page.get("download_button")] == [
        "Download the summary (JSON)",
        "Download the scenario (TOML)",
    ]
