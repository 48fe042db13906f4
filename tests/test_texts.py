"""What the app says of itself: both sides at equal length, every name that it gives exists."""

import pytest

from sim import texts
from sim.parameters import register


def n_words(points: list[str]) -> int:
    return sum(len(point.split()) for point in points)


def test_both_sides_have_as_many_arguments_of_the_same_length() -> None:
    one, other = (side["points"] for side in texts.about()["arguments"])
    assert len(one) == len(other)
    for here, there in zip(one, other, strict=True):
        assert abs(n_words([here]) - n_words([there])) <= 5, (here, there)
    assert abs(n_words(one) - n_words(other)) <= 3


@pytest.mark.parametrize("row", texts.about()["silent"], ids=lambda row: row["text"])
def test_what_was_assumed_names_what_carries_it(row: dict[str, object]) -> None:
    assert row["parameters"] and set(row["parameters"]) <= set(register())  # type: ignore[call-overload]


def test_the_timeline_tells_claims_of_the_text() -> None:
    assert {row["claim"] for row in texts.about()["timeline"]} <= set(texts.claims())


def test_no_person_and_no_party_is_named() -> None:
    told = str(texts.about()).lower()
    for name in ("trump", "biden", "republican", "democrat", "loyal", "defiant", "pressure"):
        assert name not in told


def test_reading_takes_as_long_as_its_words() -> None:
    assert texts.minutes("word " * 10) == 1
    assert texts.minutes("word " * 238, "word " * 238) == 2
