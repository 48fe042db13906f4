"""The app without a browser: Explore and what all pages share; every control works, and bad input is told and loses nothing."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from sim import ensemble
from sim.ensemble import run_ensemble
from sim.pages import controls, document, work
from sim.pages.frame import PAGES
from sim.pages.words import plain
from sim.parameters import InputError, register
from sim.passport import passport_of
from sim.results import Ensemble
from sim.scenario import Scenario
from sim.scenario_files import listed, load
from sim.sharing import Shared, link_of
from tests.pages import FEW, few_runs, now, opened, shown, texts

FOLDER = document.FOLDER
SLIDERS = [name for name in controls.HEADLINE if register()[name].range]
GROUPED = [name for names in controls.GROUPS.values() for name in names]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Ensemble]]:
    with few_runs(monkeypatch) as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Scenario files of one's own in place of those that come with the app."""

    def filled(**files: str) -> None:
        for name, text in files.items():
            (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        monkeypatch.setattr(document, "FOLDER", tmp_path)

    return filled


def file(more: str = "", title: str = "A scenario", question: str = "What then?") -> str:
    return f'schema = 1\ntitle = "{title}"\nquestion = "{question}"\ndays = 40\n{more}\n'


def group_of(name: str) -> dict[str, Any]:
    """What has to be in the session for a control to be in sight."""
    heading = next((heading for heading, names in controls.GROUPS.items() if name in names), None)
    if heading:
        return {f"group/{heading}": True}
    return {} if name in controls.HEADLINE else {f"group/{controls.ADVANCED}": True, "other": name}


def control_of(page: AppTest, name: str) -> Any:
    kind = (
        "toggle" if isinstance(register()[name].value, bool) else "selectbox" if register()[name].choices else "slider"
    )
    return getattr(page, kind)(key=f"control/{name}")


# --- What is shown


def test_it_opens_on_the_baseline_with_everything_that_a_reader_needs(runs: list[Ensemble]) -> None:
    page = opened()
    told = texts(page)
    assert page.title[0].value.replace("\\", "") == load(FOLDER / "baseline.toml").title
    assert page.metric[0].value.endswith("of 53")
    assert [metric.delta for metric in page.metric] == ["this is the baseline"] * 3
    assert "governors agree on day 180" in told
    assert "Not a forecast" in told
    assert "Commanded by the governor, paid by the federal government. The governor may refuse: yes" in told
    assert "This is the baseline: nothing differs." in told
    assert f"digest `{runs[0].digest[:12]}`, {FEW} runs, seed 1" in told
    assert len(runs) == 1


def test_the_page_shows_what_the_command_line_would() -> None:
    st_runs = 60
    page = opened("explore", link_of(Shared(document.baseline(), 5, st_runs)))
    expected = run_ensemble(document.baseline(), 5, None, st_runs, with_twins=False, jobs=2)
    assert expected.digest[:12] in texts(page)
    code = passport_of(expected)
    assert any(code in expander.label for expander in page.expander)


def test_first_view_and_one_tab_are_drawn_and_the_rest_when_it_is_opened(runs: list[Ensemble]) -> None:
    assert len(opened().get("plotly_chart")) == 1
    for tab, words in (
        ("In numbers", "The Guard costs"),
        ("Where governors stand", "The requester's side alone would be"),
        ("The pipeline", "Most wait in"),
        ("Chance of N by day D", "% of the runs have had 10,000 in place"),
        ("The 54 as a table", "Share of runs in which each state agrees"),
    ):
        assert words in texts(opened(tabs=tab))


def test_each_chart_has_its_result_as_an_alternative_and_its_numbers_as_a_table_and_files(runs: list[Ensemble]) -> None:
    page = opened(**{"numbers/in_place": True})
    assert "20,000 are asked for" in page.get("plotly_chart")[0].proto.alt
    table = page.table[0].value
    assert {"day", "date", "5 %", "25 %", "median", "75 %", "95 %"} == set(table.columns)
    assert list(table["day"])[:: len(table) - 1] == ["0", "180"]
    assert len(table) <= 14
    labels = [button.proto.label for button in page.get("download_button")]
    assert labels[:2] == ["CSV", "Parquet"]
    assert page.code[0].value in next(e.label for e in page.expander if "passport" in e.label)


def test_the_change_against_the_baseline_is_under_the_same_luck(runs: list[Ensemble]) -> None:
    page = opened()
    page.slider(key="control/request.target").set_value(5000).run()
    here, there = (found.daily("in_place").max(axis=1) for found in (runs[1], runs[0]))
    change = sorted(here)[1] - sorted(there)[1]
    assert page.metric[1].delta == f"{'+' if change > 0 else '−'}{abs(change):,} against the baseline"
    assert runs[1].seed == runs[0].seed
    assert runs[1].pairs == runs[0].pairs


def test_what_never_happens_is_said_and_given_no_day(runs: list[Ensemble], folder: Callable[..., None]) -> None:
    folder(baseline=file('[assumptions]\n"training.seats" = 0'))
    page = opened()
    assert "no run has half of the 20,000 in place by day 40" in texts(page)
    assert page.metric[2].value == "not by day 40"


def test_words_of_a_scenario_are_text_and_nothing_else(runs: list[Ensemble], folder: Callable[..., None]) -> None:
    picture = "![x](http://example.org/x.png) <b>bold</b> $x$ :red[y]"
    folder(baseline=file(title="Base"), other=file("[request]\ntarget = 5000", picture, picture))
    page = opened("explore", link_of(Shared(document.presets()[0]["other"], 1, FEW)))
    assert plain(picture) == page.title[0].value
    for element in (*page.title, *page.header, *page.subheader, *page.markdown):
        assert "![" not in element.value
        assert "<b>" not in element.value
        assert ":red[" not in element.value


@pytest.mark.parametrize(
    "text", ["a_b*c", "[x](y)", "# x", ":material/home:", "1. x", "<i>", "$x$", "~~x~~", "a\\b", "&lt;"]
)
def test_plain_text_escapes_every_mark(text: str) -> None:
    escaped = plain(text)
    assert escaped.replace("\\", "") == text.replace("\\", "")
    marks = [k for k, letter in enumerate(escaped) if letter in "*_[]()#<>$~:.&`!"]
    assert all(escaped[k - 1] == "\\" for k in marks)


# --- Controls


def test_at_most_ten_controls_are_in_sight_before_a_group_is_opened(runs: list[Ensemble]) -> None:
    page = opened()
    shown_first = [*page.sidebar.slider, *page.sidebar.toggle, *page.sidebar.selectbox, *page.sidebar.multiselect]
    assert len(shown_first) <= 10
    assert all(len(names) <= 10 for names in controls.GROUPS.values())


def test_every_number_of_the_register_has_a_place(runs: list[Ensemble]) -> None:
    page = opened(**{f"group/{controls.ADVANCED}": True})
    listed_names = [option.rsplit("(", 1)[1].rstrip(")") for option in page.selectbox(key="other").options]
    reached = {*controls.HEADLINE, *GROUPED, *listed_names}
    assert reached == {name for name in register() if not name.startswith("context.")}
    assert len(reached) == len(controls.HEADLINE) + len(GROUPED) + len(listed_names)


@pytest.mark.parametrize(
    "name", [*SLIDERS, "volunteers.share", "support.mission", "training.seats", "hiring.pass", "rounds.most"]
)
def test_a_slider_is_made_from_the_register_and_runs_at_both_ends(runs: list[Ensemble], name: str) -> None:
    page, entry = opened(**group_of(name)), register()[name]
    slider = page.slider(key=f"control/{name}")
    assert (slider.min, slider.max, slider.value) == (*entry.range, entry.value)  # type: ignore[misc]
    assert slider.label.replace("\\", "").startswith(entry.label)
    assert ("assumption" in slider.label) == (entry.source == "assumption")
    told = slider.help.replace("\\", "")
    assert f"Source: {entry.source}." in told
    assert entry.help in told
    steps = [(end - slider.min) / slider.step for end in (slider.max, slider.value)]
    assert steps == pytest.approx([round(step) for step in steps])
    for end in entry.range:  # type: ignore[union-attr]
        shown(page.slider(key=f"control/{name}").set_value(end).run())
        assert not page.error
        assert now(page).scenario.value(name) == end
        assert now(page).scenario.digest in {found.scenario.digest for found in runs}
        assert page.slider(key=f"control/{name}").value == end


@pytest.mark.parametrize("name", ["request.mode", "request.status", "volunteers.basis", "law.reading", "mission.place"])
def test_every_choice_runs(runs: list[Ensemble], name: str) -> None:
    page = opened(**group_of(name))
    for choice in register()[name].choices[::-1]:
        shown(page.selectbox(key=f"control/{name}").set_value(choice).run())
        assert not page.error
        assert now(page).scenario.value(name) == choice
        assert now(page).scenario.digest in {found.scenario.digest for found in runs}


def test_every_control_of_every_group_can_be_drawn(runs: list[Ensemble]) -> None:
    page = opened(**{f"group/{heading}": True for heading in controls.GROUPS})
    for name in GROUPED:
        assert control_of(page, name).value == register()[name].value


def test_values_at_both_ends_of_all_sliders_at_once_run(runs: list[Ensemble], folder: Callable[..., None]) -> None:
    for end in (0, 1):
        values = {name: entry.range[end] for name, entry in register().items() if entry.range}
        # A request for nobody is none.
        values["request.roles.administration"] = max(1, values["request.roles.administration"])
        scenario = replace(document.baseline(), title="At its ends", name="ends", days=30).with_values(values)
        page = opened("explore", link_of(Shared(scenario, 1, FEW)))
        assert not page.error
        assert runs[0 if end == 0 else -1].done.all()


def test_the_day_of_federalization_is_a_switch_and_a_day(runs: list[Ensemble]) -> None:
    page = opened()
    page.toggle(key="control/federalize.day/on").set_value(True).run()
    assert now(page).scenario.value("federalize.day") == 90
    assert "From day 90, where federalized" in texts(page)
    page.slider(key="control/federalize.day").set_value(180).run()
    assert now(page).scenario.value("federalize.day") == 180
    shown(page.toggle(key="control/federalize.day/on").set_value(False).run())
    assert now(page).scenario == document.baseline()


def test_states_can_be_named_one_by_one(runs: list[Ensemble]) -> None:
    page = opened()
    page.selectbox(key="control/request.asked/word").set_value("border").run()
    page.selectbox(key="control/request.asked/word").set_value(controls.A_LIST).run()
    assert now(page).scenario.value("request.asked") == ["AZ", "CA", "NM", "TX"]
    page.multiselect(key="control/request.asked").set_value(["TX", "GU"]).run()
    assert runs[-1].scenario.value("request.asked") == ["TX", "GU"]
    page.multiselect(key="control/request.asked").set_value([]).run()
    assert "request.asked = [] is not allowed" in texts(page)
    assert page.multiselect(key="control/request.asked").value == ["TX", "GU"]
    shown(page.selectbox(key="control/request.asked/word").set_value("all").run())
    assert now(page).scenario == document.baseline()


def test_values_beyond_a_plausible_range_widen_the_slider(runs: list[Ensemble], folder: Callable[..., None]) -> None:
    folder(baseline=file("[request]\ntarget = 150003\ndeadline_days = 3"))
    page = opened()
    assert page.slider(key="control/request.target").value == page.slider(key="control/request.target").max == 150_003
    assert page.slider(key="control/request.deadline_days").min == 3
    shown(page.slider(key="control/request.target").set_value(1000).run())
    # It stays as wide, so that the way back is open.
    assert page.slider(key="control/request.target").max == 150_003


def test_a_control_that_cannot_be_followed_says_so_and_goes_back(
    runs: list[Ensemble], folder: Callable[..., None]
) -> None:
    folder(baseline=file("[request.roles]\nadministration = 1000\nsupport = 0\ntransport = 0\ndetention = 0"))
    page = opened(**{"group/Roles asked for": True})
    shown(page.slider(key="control/request.roles.administration").set_value(0).run())
    assert "at least one role must ask for people" in texts(page)
    assert page.slider(key="control/request.roles.administration").value == 1000
    assert len(page.metric) == 3
    assert not shown(page.run()).error


# --- The document


def test_a_slider_moved_back_is_the_baseline_again_and_uncertain(runs: list[Ensemble]) -> None:
    page = opened(**{"group/People": True})
    assert "volunteers.share" not in runs[-1].scenario.values
    page.slider(key="control/volunteers.share").set_value(0.06).run()
    assert runs[-1].scenario.values["volunteers.share"] == 0.06
    assert page.title[0].value.endswith("\\(changed\\)")
    page.slider(key="control/volunteers.share").set_value(0.05).run()
    assert now(page).scenario == document.baseline()
    assert len(runs) == 2


def test_undo_and_redo_move_the_sliders(runs: list[Ensemble]) -> None:
    page = opened()
    assert page.button(key="undo").disabled
    for value in (5000, 8000):
        page.slider(key="control/request.target").set_value(value).run()
    page.button(key="undo").click().run()
    assert page.slider(key="control/request.target").value == 5000
    page.button(key="undo").click().run()
    assert page.slider(key="control/request.target").value == 20_000
    assert page.button(key="undo").disabled
    page.button(key="redo").click().run()
    assert page.slider(key="control/request.target").value == 5000
    assert now(page).scenario.value("request.target") == 5000
    # All of it has been worked out before.
    assert len(runs) == 3


def test_the_resets_go_to_the_baseline_and_to_my_scenario(runs: list[Ensemble]) -> None:
    page = opened()
    page.selectbox(key="preset").select("bundled_request").run()
    page.slider(key="control/request.target").set_value(5000).run()
    page.button(key="reset_baseline").click().run()
    assert now(page).scenario == document.baseline()
    assert page.selectbox(key="preset").value == "baseline"
    page.button(key="reset_mine").click().run()
    assert now(page).scenario == load(FOLDER / "bundled_request.toml")
    page.button(key="undo").click().run()
    page.button(key="undo").click().run()
    assert now(page).scenario.value("request.target") == 5000
    assert now(page).scenario.value("request.mode") == "bundled"


def test_a_difference_is_a_chip_with_its_control_and_the_way_back(runs: list[Ensemble]) -> None:
    scenario = load(FOLDER / "incident_day_40.toml").with_values({"tour.days": 60})
    page = opened("explore", link_of(Shared(scenario, 1, FEW)), **{"chip/tour.days": True, "chip/shocks": True})
    assert "day 40: kind incident" in page.text[0].value
    page.slider(key="control-chip/tour.days").set_value(120).run()
    assert now(page).scenario.value("tour.days") == 120
    page.button(key="back/tour.days").click().run()
    assert now(page).scenario.value("tour.days") == 90
    page.button(key="back/shocks").click().run()
    assert now(page).scenario.shocks == ()
    assert now(page).scenario.digest == document.baseline().digest


def test_a_whole_scenario_comes_by_link_and_stays_in_the_address(runs: list[Ensemble]) -> None:
    scenario = load(FOLDER / "hurricane_season.toml")
    link = link_of(Shared(scenario, 7, 20))
    page = opened("explore", link)
    assert now(page) == Shared(scenario, 7, 20)
    assert page.button(key="undo").disabled
    assert page.query_params["s"] == link
    page.slider(key="control/request.target").set_value(5000).run()
    assert opened("explore", page.query_params["s"]).session_state["desk"].sheet.now == now(page)
    page.button(key="undo").click().run()
    assert page.query_params["s"] == link


@pytest.mark.parametrize("link", ["", "1.", "x", "1.AAAA", "2.AAAA", "1." + "A" * 20_000, "<script>alert(1)</script>"])
def test_a_link_that_cannot_be_read_says_so_and_loads_nothing(runs: list[Ensemble], link: str) -> None:
    page = opened("explore", link)
    assert now(page).scenario == document.baseline()
    assert (["Nothing was loaded: the link" in error.value.replace("\\", "") for error in page.error] or [True]) == [
        True
    ]
    assert bool(page.error) == bool(link)
    assert "s" not in page.query_params
    assert len(page.metric) == 3


def test_a_link_of_another_version_says_what_has_moved(runs: list[Ensemble]) -> None:
    kept = json.loads((Path(__file__).parent / "links.json").read_text(encoding="utf-8"))["1.0.0"]
    page = opened("explore", kept["link"])
    assert now(page).scenario.value("request.target") == kept["target"]
    assert any("Made with model" in warning.value.replace("\\", "") for warning in page.warning)
    assert len(page.metric) == 3


def test_an_upload_is_opened_or_told_and_loses_nothing(runs: list[Ensemble]) -> None:
    page = opened(files=True)
    page.slider(key="control/request.target").set_value(5000).run()
    uploader = page.get("file_uploader")[0]
    uploader.set_value(("mine.toml", b"schema = 1\ntitle = 3", "application/toml")).run()
    assert "Nothing was loaded: mine: " in texts(shown(page))
    assert now(page).scenario.value("request.target") == 5000
    text = file("[request]\ntarget = 7000", title="Mine").encode()
    page.get("file_uploader")[0].set_value(("mine.toml", text, "application/toml")).run()
    assert (now(shown(page)).scenario.title, now(page).scenario.name) == ("Mine", "mine")
    assert page.selectbox(key="preset").value is None


def test_seed_and_runs_are_part_of_the_document(runs: list[Ensemble]) -> None:
    page = opened(plan=True)
    first = runs[-1].digest
    page.text_input(key="seed").set_value(str(2**64 - 1)).run()
    assert now(page).seed == 2**64 - 1
    assert runs[-1].digest != first
    for wrong in ("-1", "1e5", "inf", "٣", str(2**64), ""):
        shown(page.text_input(key="seed").set_value(wrong).run())
        assert "must be a whole number in 0" in texts(page)
        assert now(page).seed == 2**64 - 1
    page.radio(key="runs").set_value(5000).run()
    assert now(page).runs == 5000
    page.button(key="undo").click().run()
    page.button(key="undo").click().run()
    assert (now(page).seed, now(page).runs) == (1, document.usual_runs())


@pytest.mark.parametrize("path", listed(FOLDER), ids=lambda path: path.stem)
def test_every_scenario_file_can_be_chosen(runs: list[Ensemble], path: Path) -> None:
    page = opened()
    shown(page.selectbox(key="preset").select(path.stem).run())
    scenario = load(path)
    assert not page.error
    assert page.title[0].value.replace("\\", "") == scenario.title.replace("\\", "")
    assert scenario.question in texts(page)
    assert scenario.digest in {found.scenario.digest for found in runs}
    differ = scenario.differences(document.baseline())
    assert len([key for key in document.differences(scenario, document.baseline())]) == len(differ)


# --- States on the map


def test_every_state_is_reached_without_the_map(runs: list[Ensemble]) -> None:
    page = opened()
    assert len(page.selectbox(key="state_chosen").options) == 54
    for code, words in (
        ("TX", "**Texas** agrees in"),
        ("DC", "**District of Columbia** has no governor to ask"),
        ("GU", "**Guam** agrees in"),
    ):
        shown(page.selectbox(key="state_chosen").set_value(code).run())
        assert words in texts(page)
        assert page.session_state["selected"] == code


def test_the_run_on_the_map_can_be_chosen(runs: list[Ensemble]) -> None:
    page = opened()
    assert page.number_input(key="run_chosen").max == FEW - 1
    page.number_input(key="run_chosen").set_value(2).run()
    assert shown(page).session_state["run"] == 2


# --- What goes wrong


def test_a_broken_file_is_told_and_stops_nothing(runs: list[Ensemble], folder: Callable[..., None]) -> None:
    folder(
        baseline=file(),
        no_toml="schema = [",
        too_far=file("[request]\ntarget = -5"),
        misspelt=file("[reqest]\ntarget = 5"),
    )
    page = opened()
    told = [warning.value.replace("\\", "") for warning in page.warning]
    assert len(told) == 3
    assert all(text.startswith("Left out: ") for text in told)
    assert "did you mean 'request'" in "".join(told)
    assert page.selectbox(key="preset").options == ["A scenario"]
    assert len(page.metric) == 3


@pytest.mark.parametrize("files", [{}, {"baseline": "title = 1"}], ids=["none", "broken"])
def test_without_a_readable_scenario_the_defaults_are_shown(
    runs: list[Ensemble], folder: Callable[..., None], files: dict[str, str]
) -> None:
    folder(**files)
    page = opened()
    assert page.title[0].value == plain("The register's defaults")
    assert len(page.metric) == 3


def test_input_that_contradicts_itself_is_told_in_words(runs: list[Ensemble], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Ensemble:
        raise InputError("tour.days = 9 is *not* allowed")

    monkeypatch.setattr(work, "run_ensemble", refuse)
    page = opened()
    assert [error.value.replace("\\", "") for error in page.error] == ["tour.days = 9 is *not* allowed"]
    assert not page.metric
    assert "Not a forecast" in texts(page)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """The first so many runs fail."""
    reduced = ensemble.reduced

    def fail_first(failed: int) -> None:
        def fail(scenario: Any, seed: int, pair: Any, with_events: bool) -> Any:
            return "ValueError: a rule broke" if pair[1] < failed else reduced(scenario, seed, pair, with_events)

        monkeypatch.setattr(ensemble, "reduced", fail)

    return fail_first


def test_runs_that_fail_are_told(runs: list[Ensemble], failing: Callable[[int], None]) -> None:
    failing(1)
    page = opened()
    assert [text.value.replace("\\", "") for text in page.warning] == [
        f"1 of {FEW} runs failed and are left out; the first said: ValueError: a rule broke"
    ]
    assert len(page.metric) == 3


def test_no_result_is_made_up_when_every_run_fails(runs: list[Ensemble], failing: Callable[[int], None]) -> None:
    failing(FEW)
    page = opened()
    assert "a rule broke" in page.error[0].value
    assert not page.metric


def test_a_lost_worker_process_is_replaced(runs: list[Ensemble], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def lose_once(*args: Any, executor: Any = None, **_: Any) -> Ensemble:
        asked.append(executor)
        if executor is not None:
            raise RuntimeError("A process in the process pool was terminated abruptly")
        return run_ensemble(args[0], args[1], args[2], FEW, with_twins=False)

    monkeypatch.setattr(work, "run_ensemble", lose_once)
    assert len(opened().metric) == 3
    assert len(asked) == 2
    assert asked[1] is None


# --- Many visitors


def test_the_same_question_is_run_once_for_all_visitors(runs: list[Ensemble]) -> None:
    one, other = opened(), opened()
    one.slider(key="control/request.target").set_value(5000).run()
    other.slider(key="control/request.target").set_value(5000).run()
    assert len(runs) == 2


def test_a_visitor_never_sees_the_words_of_another_with_the_same_question(runs: list[Ensemble]) -> None:
    mine = replace(document.baseline(), title="My very own words", question="Whose?", name="mine")
    assert "My very own words" in texts(opened("explore", link_of(Shared(mine, 1, FEW))))
    assert "My very own words" not in texts(opened())
    assert work.result(Shared(document.baseline(), 1, FEW)).scenario.title == document.baseline().title
    assert work.ensemble(Shared(document.baseline(), 1, FEW)).scenario.title == document.baseline().title
    assert len(runs) == 2  # the usual number of runs for the second


def test_what_is_kept_is_bounded(runs: list[Ensemble]) -> None:
    short = Scenario("short", "Short", "What then?", days=5)
    for target in range(1000, 1000 + work.MOST_ENSEMBLES + 3):
        work.ensemble(Shared(short.with_values({"request.target": target}), 1, 1))
    before = len(runs)
    work.ensemble(Shared(short.with_values({"request.target": 1000}), 1, 1))
    assert len(runs) == before + 1
    work.ensemble(Shared(short.with_values({"request.target": 1000}), 1, 1))
    assert len(runs) == before + 1


# --- Pages


@pytest.mark.parametrize("name", [name for name, _, _ in PAGES])
def test_every_page_opens_with_a_title_and_the_footer(runs: list[Ensemble], name: str) -> None:
    page = opened(name)
    assert page.title
    assert "Not a forecast" in texts(page)
