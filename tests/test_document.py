"""The document: every change is a step that can be taken back, and a control moved back leaves no trace."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from sim.pages.document import (
    MOST_UNDO,
    Desk,
    Sheet,
    baseline,
    differences,
    moved,
    presets,
    read_file,
    same,
    taken,
)
from sim.parameters import InputError, register
from sim.scenario import Scenario
from sim.sharing import Shared

BASE = Scenario("base", "Base", "What then?", days=40)


def sheet(scenario: Scenario = BASE, base: Scenario | None = None) -> Sheet:
    return Sheet(Shared(scenario), base or scenario)


def desk_of(numbers: list[int]) -> Desk:
    """A desk on which the target was moved to some numbers, one after the other."""
    desk = Desk(sheet(), Shared(BASE))
    for number in numbers:
        changed = moved(desk.sheet, {"request.target": number})
        desk = desk.turned(Sheet(Shared(changed), BASE))
    return desk


def test_undo_and_redo_walk_the_same_way_back_and_forth() -> None:
    desk = desk_of([5000, 6000])
    assert [
        step.sheet.now.scenario.value("request.target") for step in (desk, desk.undone(), desk.undone().undone())
    ] == [
        6000,
        5000,
        20000,
    ]
    assert desk.undone().undone().redone().redone() == desk
    assert desk.undone().redone() == desk
    first = Desk(sheet(), Shared(BASE))
    assert first.undone() is first
    assert first.redone() is first


def test_a_new_step_forgets_what_was_undone() -> None:
    desk = desk_of([5000, 6000]).undone()
    other = desk.turned(Sheet(Shared(moved(desk.sheet, {"request.target": 7000})), BASE))
    assert other.future == ()
    assert other.undone().sheet == desk.sheet


def test_a_step_that_changes_nothing_is_none() -> None:
    desk = desk_of([5000])
    assert desk.turned(desk.sheet) is desk


def test_the_steps_kept_are_bounded_and_the_oldest_go_first() -> None:
    desk = desk_of([1000 + step for step in range(MOST_UNDO + 10)])
    assert len(desk.past) == MOST_UNDO
    for _ in range(MOST_UNDO + 5):
        desk = desk.undone()
    assert desk.sheet.now.scenario.value("request.target") == 1009


@given(some.lists(some.sampled_from(["undo", "redo", 5000, 6000]), max_size=12))
def test_whatever_is_pressed_undoing_all_gives_the_beginning(steps: list[str | int]) -> None:
    desk = desk_of([])
    begin = desk.sheet
    for step in steps:
        if step == "undo":
            desk = desk.undone()
        elif step == "redo":
            desk = desk.redone()
        else:
            desk = desk.turned(Sheet(Shared(moved(desk.sheet, {"request.target": int(step)})), BASE))
    for _ in range(len(steps)):
        desk = desk.undone()
    assert desk.sheet == begin


def test_opening_another_scenario_makes_it_mine_and_can_be_undone() -> None:
    other = Shared(replace(BASE, title="Other", days=50))
    desk = desk_of([5000]).opened(other)
    assert desk.mine == desk.sheet.now == other
    assert desk.undone().sheet.now.scenario.value("request.target") == 5000


def test_a_control_moved_back_leaves_no_trace() -> None:
    base = replace(BASE, values={"support.mission": -3.5}, ranges={"support.mission": (-4.5, -2.5)})
    there = moved(sheet(base), {"support.mission": -1.0, "volunteers.share": 0.06})
    assert there.ranges == {}
    assert there.values == {"support.mission": -1.0, "volunteers.share": 0.06}
    assert (there.title, there.name) == ("Base (changed)", "base-changed")
    back = moved(
        sheet(there, base), {"support.mission": -3.5, "volunteers.share": register()["volunteers.share"].value}
    )
    assert back is base


def test_the_source_of_a_value_goes_with_the_value() -> None:
    base = replace(BASE, values={"volunteers.share": 0.06}, sources={"volunteers.share": "a survey"})
    there = moved(sheet(base), {"volunteers.share": 0.07})
    assert there.sources == {}
    assert moved(sheet(there, base), {"volunteers.share": 0.06}) is base
    assert taken(sheet(BASE), "volunteers.share", base).sources == base.sources


def test_what_is_taken_from_another_scenario_is_as_uncertain_as_there() -> None:
    other = replace(BASE, values={"tour.days": 60}, days=30)
    here = moved(sheet(), {"tour.days": 100, "request.target": 5000})
    assert taken(sheet(here, BASE), "tour.days", other).values == {"tour.days": 60, "request.target": 5000}
    assert taken(sheet(here, BASE), "tour.days", BASE).values == {"request.target": 5000}
    assert taken(sheet(here, BASE), "days", other).days == 30


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"request.target": -5}, "request.target = -5 is not allowed"),
        ({"request.taget": 5}, "did you mean 'request.target'"),
        ({name: 0 for name in register() if name.startswith("request.roles.")}, "at least one role"),
        ({"federalize.day": 41}, "is after the last day 40"),
    ],
)
def test_values_that_cannot_be_are_refused_in_words(values: dict[str, float], words: str) -> None:
    with pytest.raises(InputError, match=words):
        moved(sheet(), values)


def test_titles_do_not_grow_however_often_a_scenario_is_changed() -> None:
    long = replace(BASE, title="x" * 200, name="n" * 100)
    once = moved(sheet(long), {"tour.days": 60})
    again = moved(sheet(once, once), {"tour.days": 61})
    assert len(once.title) == len(again.title) == 200
    assert once.title.endswith(" (changed)")
    assert len(again.name) <= 100
    assert again.title.count("(changed)") == 1


def test_differences_say_what_is_held_and_what_is_drawn() -> None:
    here = replace(
        BASE,
        values={"volunteers.share": 0.06, "tour.days": 60, "volunteers.pace": register()["volunteers.pace"].value},
        days=50,
    )
    rows = {row.what: row for row in differences(here, BASE)}
    assert list(rows) == ["volunteers.share", "tour.days", "days"]
    assert rows["volunteers.share"].here == "0.06 in every run"
    assert (rows["tour.days"].here, rows["tour.days"].there) == ("60", "90")
    assert rows["tour.days"].label == register()["tour.days"].label
    assert rows["days"].entry is None


def test_a_range_alone_is_a_difference_that_is_said() -> None:
    here = replace(BASE, values={"support.mission": 0.0}, ranges={"support.mission": (-1.0, 1.0)})
    (row,) = differences(here, BASE)
    assert row.here == "0 (-1 to 1)"
    assert row.there == "0 (the register's range)"


@pytest.mark.parametrize(
    "a, b, are",
    [
        (1, 1.0, True),
        (0.1 + 0.2, 0.3, True),
        (True, 1, False),
        ("a", "a", True),
        (["TX"], ["TX"], True),
        (1, "never", False),
    ],
)
def test_values_are_one_as_far_as_a_slider_can_tell(a: object, b: object, are: bool) -> None:
    assert same(a, b) is are  # type: ignore[arg-type]


def test_presets_begin_with_the_baseline() -> None:
    found, refused = presets()
    assert next(iter(found)) == "baseline"
    assert refused == []
    assert baseline() is found["baseline"]


def test_an_uploaded_file_is_the_scenario_that_was_saved() -> None:
    scenario = presets()[0]["hurricane_season"]
    again = read_file("hurricane_season.toml", scenario.toml().encode())
    assert again == scenario
    assert read_file("../../etc/passwd.toml", scenario.toml().encode()).name == "passwd"
    assert read_file("...toml", scenario.toml().encode()).name


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe", "byte 0 is not UTF-8"),
        (b"x = [" + b"[" * 100_000, "not valid TOML"),
        (b"a" * 200_001, "at most 200,000"),
        (b"", "schema is missing"),
        (
            b'schema = 1\ntitle = "x"\nquestion = "y"\nextends = "../baseline.toml"',
            "extends needs a file beside this one",
        ),
    ],
)
def test_an_upload_that_is_no_scenario_is_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_file("mine.toml", content)
