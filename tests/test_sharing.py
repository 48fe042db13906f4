"""Share links: what goes in comes out, whatever else is in one is told, and links of older versions keep opening."""

import base64
import json
import tracemalloc
import zlib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim import sharing
from sim.parameters import InputError, model_version, register
from sim.scenario import Scenario
from sim.scenario_files import listed, load
from sim.sharing import Shared, link_of, packed, read_link
from tests.strategies import CODES, scenarios

ROOT = Path(__file__).resolve().parent.parent
FILES = listed(ROOT / "scenarios")
# Links that some version made; never changed, only added to: they lie in somebody's mail.
KEPT: dict[str, dict[str, Any]] = json.loads((ROOT / "tests" / "links.json").read_text(encoding="utf-8"))
PLAIN = Scenario("plain", "A title", "A question?")


def payload(**changed: Any) -> dict[str, Any]:
    """What a valid link holds, with some of it changed."""
    whole = {"model": model_version(), "name": "plain", "runs": 10, "scenario": PLAIN.document(), "seed": 3}
    whole["scenario"] = {**PLAIN.document(), **changed.pop("scenario", {})}
    return {**whole, **changed}


def refused(text: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        read_link(text)
    words = str(caught.value)
    assert told in words, words
    assert "\n" not in words
    assert len(words) < 700
    words.encode()  # nothing that a terminal or a page could not show


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_scenario_file_fits_into_a_short_link(path: Path) -> None:
    shared = Shared(load(path), 2**64 - 1, 777)
    link = link_of(shared)
    opened = read_link(link)
    assert (opened.scenario, opened.seed, opened.runs, opened.notes) == (shared.scenario, 2**64 - 1, 777, ())
    assert opened.scenario.digest == shared.scenario.digest
    assert len(link) < 600


@settings(max_examples=200, deadline=None)
@given(scenarios(list(CODES)), st.integers(0, 2**64 - 1), st.integers(1, 10_000))
def test_any_scenario_comes_back_exactly(scenario: Scenario, seed: int, runs: int) -> None:
    link = link_of(Shared(scenario, seed, runs))
    opened = read_link(link)
    assert (opened.scenario, opened.seed, opened.runs) == (scenario, seed, runs)
    assert link_of(Shared(opened.scenario, opened.seed, opened.runs)) == link


def only_told(text: str) -> None:
    """Reading either gives a scenario or says what is wrong; anything else that is raised fails the test."""
    try:
        read_link(text)
    except InputError as error:
        str(error).encode()


LINK = packed(payload())


@settings(max_examples=1000, deadline=None)
@given(
    st.one_of(st.text(), st.from_regex(r"\A1\.[A-Za-z0-9_-]{0,200}\Z"), st.binary().map(lambda b: b.decode("latin-1")))
)
@example("1.")
@example("१.abc")
def test_any_text_is_read_or_told(text: str) -> None:
    only_told(text)


@settings(max_examples=500, deadline=None)
@given(st.integers(0, len(LINK) - 1), st.sampled_from("AZaz09-_.%+ é\0"))
def test_a_changed_letter_is_noticed(place: int, letter: str) -> None:
    changed = LINK[:place] + letter + LINK[place + 1 :]
    if changed.strip() != LINK:
        with pytest.raises(InputError):
            read_link(changed)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
places = st.sampled_from(["", "model", "name", "runs", "seed", "scenario", *PLAIN.document(), "request", "assumptions", "changes", "shocks", "answers", "sources", "extends"])  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(places, plain, st.sampled_from([model_version(), "1.0.0", "99.0.0"]))
def test_whatever_stands_anywhere_is_read_or_told(place: str, value: Any, model: str) -> None:
    if place in ("", *sharing.KEYS):
        only_told(packed({**payload(model=model), place: value} if place else value))
    else:
        only_told(packed(payload(model=model, scenario={place: value})))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(register())), plain)
def test_any_value_of_a_parameter_is_read_or_told(name: str, value: Any) -> None:
    only_told(packed(payload(scenario={"assumptions": {name: value}, "changes": [{"day": 1, name: value}]})))


def raw(text: str | bytes) -> str:
    """A link that holds any bytes."""
    data = text.encode() if isinstance(text, str) else text
    return sharing.FORMAT + base64.urlsafe_b64encode(zlib.compress(data, 9)).rstrip(b"=").decode()


def test_broken_links_say_what_is_broken() -> None:
    refused("", "must begin with '1.'")
    refused("hello", "must begin with '1.'")
    refused("2." + LINK[2:], "format 2; this version reads format 1")
    refused(LINK[: 2 + 4 * 20], "cut off: letters are missing at its end")
    refused(LINK[: 2 + 4 * 20 + 1], "damaged or cut off")
    refused(LINK[:20] + ("A" if LINK[20] != "A" else "B") + LINK[21:], "damaged")
    refused(LINK + "AAAA", "goes on after its end")
    refused("1.$", "letters, digits, - and _")
    refused(raw(b"\xff\xfe"), "does not hold text")
    refused(raw("{"), "in a form that can be read")
    refused(raw(" " + sharing._canonical(payload())), "not in its one form")
    refused(raw('{"a":1,"a":2}'), "not in its one form")
    refused(packed([1]), "must name model, name, runs, scenario, seed")
    refused(packed({**payload(), "script": "alert(1)"}), "must name model, name, runs, scenario, seed")


def test_links_too_large_or_too_deep_are_not_unpacked() -> None:
    refused("1." + "A" * 16_000, "at most 16,000")
    # 11 MB of one letter in a link that is not too long: no more than the limit is ever inflated.
    bomb = raw(b"a" * 11_000_000)
    assert len(bomb) < sharing.MOST_CHARACTERS
    tracemalloc.start()
    refused(bomb, "more than 200,000 bytes")
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()
    for bracket in ("[", '{"a":'):
        refused(raw(bracket * 30_000), "nested too deeply")
    refused(raw("[" * 199_999), "nested too deeply")
    refused(raw("[" * 50 + "]" * 50), "nested too deeply")
    refused(raw("9" * 10_000), "in a form that can be read")


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_numbers_are_finite(word: str) -> None:
    refused(raw(sharing._canonical(payload()).replace('"runs":10', f'"runs":{word}')), "not a finite number")


def test_a_number_beyond_all_is_refused() -> None:
    refused(raw(sharing._canonical(payload()).replace('"runs":10', '"runs":1e400')), "not a finite number")


def test_half_a_character_is_refused() -> None:
    refused(raw(r'{"\ud800":1}'), "not in its one form")


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "another schema": ({"scenario": {"schema": 2}}, "schema"),
    "an unknown key": ({"scenario": {"dayss": 4}}, "unknown key dayss; did you mean 'days'?"),
    "an unknown parameter": ({"scenario": {"assumptions": {"volunteers.shar": 0.1}}}, "did you mean 'volunteers.share'"),
    "a value not allowed": ({"scenario": {"tour": {"days": 4000}}}, "in 1..730"),
    "a file to extend": ({"scenario": {"extends": "../../secret.toml"}}, "extends needs a file"),
    "a file that exists": ({"scenario": {"extends": "baseline.toml"}}, "extends needs a file"),
    "a path as name": ({"name": "../baseline"}, "must be a name and not a path"),
    "a drive as name": ({"name": "c:x"}, "must be a name and not a path"),
    "a hidden name": ({"name": ".profile"}, "must be a name and not a path"),
    "control characters in the name": ({"name": "a\x1b[2J"}, "printable"),
    "no name": ({"name": ""}, "printable"),
    "a number as name": ({"name": 3}, "printable"),
    "no runs": ({"runs": 0}, "runs = 0 must be a whole number in 1..10000"),
    "too many runs": ({"runs": 10**9}, "runs = 1000000000"),
    "half a run": ({"runs": 1.0}, "runs = 1.0"),
    "a switch for a seed": ({"seed": True}, "seed = True"),
    "a seed below 0": ({"seed": -1}, "seed = -1"),
    "no version": ({"model": None}, "model = None must be a version"),
    "no version at all": ({"model": "<script>"}, "must be a version"),
    "no date": ({"scenario": {"start": "2025-02-30"}}, "is not a date"),
    "a date in words": ({"scenario": {"start": "15 May"}}, "start"),
    "a day after all days": ({"scenario": {"start": "9999-12-31"}}, "years 1900 to 2199"),
    "a list as scenario": ({"scenario": {"request": [1]}}, "request"),
}  # fmt: skip


@pytest.mark.parametrize("changed", WRONG.values(), ids=WRONG)
def test_a_hostile_link_loads_nothing_and_says_why(changed: tuple[dict[str, Any], str]) -> None:
    refused(packed(payload(**changed[0])), changed[1])


def test_markup_in_a_title_stays_text() -> None:
    title = "<script>alert('x')</script> ![](http://example.org/x.png) =1+1"
    assert read_link(packed(payload(scenario={"title": title}))).scenario.title == title


def test_what_cannot_be_a_link_is_told_when_it_is_made() -> None:
    with pytest.raises(InputError, match="name and not a path"):
        link_of(Shared(PLAIN.renamed("a/b")))
    with pytest.raises(InputError, match="runs = 20000"):
        link_of(Shared(PLAIN, runs=20_000))
    random = "".join(chr(0x4E00 + (k * 7919) % 20_000) for k in range(9_000))
    with pytest.raises(InputError, match="share the scenario file instead"):
        link_of(Shared(Scenario("long", "t", random)))


# --- Other versions


def test_the_defaults_of_this_version_are_kept_for_later() -> None:
    now = {name: entry.value for name, entry in register().items()}
    told = "record them: python -m tests.make_links"
    assert sharing.versions()[model_version()].defaults == now, told
    assert model_version() in KEPT, told


@pytest.mark.parametrize("version", KEPT)
def test_links_of_every_version_still_open(version: str) -> None:
    opened = read_link(KEPT[version]["link"])
    assert opened.model == version
    assert (opened.seed, opened.runs) == (KEPT[version]["seed"], KEPT[version]["runs"])
    assert opened.scenario.value("request.target") == KEPT[version]["target"]
    assert opened.scenario.start == date.fromisoformat(KEPT[version]["start"])
    assert len(opened.scenario.shocks) == KEPT[version]["shocks"]
    assert bool(opened.notes) == (version != model_version())


def test_a_link_of_version_1_0_0_says_what_is_new() -> None:
    notes = read_link(KEPT["1.0.0"]["link"]).notes
    assert notes[0].startswith("Made with model 1.0.0; this is model ")
    assert any(note.startswith("disaster.most is new since then (Most on disaster duty)") for note in notes)


@pytest.fixture
def past(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A version 0.9.0 in which some of the register was otherwise."""
    then = {name: entry.value for name, entry in register().items()}
    then |= {"tour.days": 77, "volunteers.share": 0.5, "old.assumption": 1.0, "tour.old_lever": 2, "gone.lever": 3}
    del then["request.mode"]
    monkeypatch.setattr(sharing, "versions", lambda: {"0.9.0": sharing.Version(then, {})})
    return then


@pytest.mark.usefixtures("past")
def test_an_old_link_keeps_its_levers_and_tells_everything_else() -> None:
    opened = read_link(packed(payload(model="0.9.0")))
    assert opened.scenario.values == {"tour.days": 77}
    assert opened.notes[1:] == (
        f"request.mode is new since then ({register()['request.mode'].label}); it has its default, menu.",
        f"volunteers.share has today's default, {register()['volunteers.share'].value}; then it was 0.5.",
        f"tour.days keeps its default of then, 77; today's is {register()['tour.days'].value}.",
    )


@pytest.mark.usefixtures("past")
def test_parameters_that_are_gone_are_left_out_and_told() -> None:
    scenario = {
        "assumptions": {"old.assumption": 0.5, "volunteers.share": 0.1},
        "tour": {"days": 60, "old_lever": 4},
        "gone": {"lever": 4},
        "changes": [{"day": 9, "tour.old_lever": 5, "tour.days": 50}],
        "sources": {"tour.days": "Doe (2026)", "tour.old_lever": "Roe (2025)"},
    }
    opened = read_link(packed(payload(model="0.9.0", scenario=scenario)))
    assert opened.scenario.values == {"volunteers.share": 0.1, "tour.days": 60}
    assert opened.scenario.changes[0].values == {"tour.days": 50}
    assert opened.scenario.sources == {"tour.days": "Doe (2026)"}
    gone = [note.split(" is left out")[0] for note in opened.notes if "is left out" in note]
    assert sorted(gone) == ["gone.lever = 4", "old.assumption = 0.5", "tour.old_lever = 4", "tour.old_lever = 5"]


@pytest.mark.usefixtures("past")
def test_an_old_link_with_what_never_was_or_is_no_longer_allowed_is_refused() -> None:
    told = f"the link (made with model 0.9.0, this is {model_version()}): "
    refused(packed(payload(model="0.9.0", scenario={"assumptions": {"never.was": 1}})), told + "unknown key")
    refused(packed(payload(model="0.9.0", scenario={"tour": {"days": 900}})), told + "tour.days = 900 is not allowed")


def test_a_link_of_a_version_that_nobody_knows_opens_as_far_as_it_can() -> None:
    opened = read_link(packed(payload(model="99.0.0", scenario={"assumptions": {"new.number": 1.5}})))
    assert "new.number = 1.5 is left out" in opened.notes[1]
    assert "does not know that version" in opened.notes[-1]
