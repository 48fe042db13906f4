"""The record: what a case file says of what happened. Scenario files may carry it; no simulation reads it.

`[case]` tells where a case comes from, `[[observed]]` rows what governors said, `[[troops]]` rows how many people were
counted. What counts as yes, no or unknown is one table in docs/history.md; `ANSWERS` is the same table for the code.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

# As in `sim.scenario`: unknown keys are errors, and nothing is converted silently.
_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)

# What each kind of answer counts as: True a yes, False a no, None unknown.
ANSWERS: dict[str, bool | None] = {
    "accept": True,
    "partial": True,
    "contributing": True,
    "withdraw": True,
    "decline": False,
    "decline_preemptive": False,
    "no_contribution": False,
    "police_only": None,
    "offer": None,
    "unknown": None,
}
# Answers given to a request on a day, so that "when" can be asked of them.
DATED = ("accept", "partial", "decline")

# What each measure counts, as stages of the model; the rest of the model's stages are not in it. None: people promised or
# wanted, not counted anywhere.
MEASURES: dict[str, tuple[str, ...] | None] = {
    "in_place": ("in_place",),
    "on_the_line": ("in_place",),
    "in_border_states": ("training", "awaiting_a_supervisor", "travel", "in_place"),
    "on_orders": ("screening", "waiting_for_a_seat", "training", "awaiting_a_supervisor", "travel", "in_place"),
    "activated": ("screening", "waiting_for_a_seat", "training", "awaiting_a_supervisor", "travel", "in_place"),
    "ordered": None,
    "planned": None,
    "target": None,
}
# Measures of people who are there, as against on orders, on a list or in a plan.
PRESENCE = ("in_place", "on_the_line", "in_border_states")

Confidence = Literal["high", "medium", "low", "memory"]
Sources = Annotated[list[str], Field(min_length=1, description="Keys of [case.sources].")]


class About(BaseModel):
    """The head of a case: what it was, where the facts come from, what it may be used for.

    Attributes: asker; ask (the request in words); window (last day on which a first answer counts; the last day by default);
    urgency (planned, or an emergency with days to act); use (calibration, upper_bound, or qualitative: never in a fit);
    assumed (which inputs of the file are assumptions); sources (by key: title and address).
    """

    model_config = _STRICT
    name: str
    asker: str
    ask: str
    ended: date | None = None
    urgency: Literal["planned", "emergency"]
    use: Literal["calibration", "upper_bound", "qualitative"]
    confidence: Confidence
    notes: str = ""
    assumed: str = ""
    sources: dict[str, str]


class Observed(BaseModel):
    """What one state said. Rows of one state stand in the order of time.

    Attributes: state (postal code, or ALL for a statement about many: then `states` is how many had agreed by that day);
    day (of the case; None where only a month is known); precision of the day; troops and what they count; party_basis
    (whether the governor's party on that day has a source or rests on memory).
    """

    model_config = _STRICT
    state: str
    answer: Literal[
        "accept",
        "partial",
        "contributing",
        "withdraw",
        "decline",
        "decline_preemptive",
        "no_contribution",
        "police_only",
        "offer",
        "unknown",
    ]
    day: int | None = Field(None, ge=0)
    precision: Literal["day", "approx", "by", "week", "month", "year"] = "day"
    states: int | None = Field(None, ge=0, le=54)
    troops: int | None = Field(None, ge=0)
    counts: str = Field("", description="What the number of troops counts, for instance authorized or deployed.")
    party_basis: Literal["source", "memory"] | None = None
    confidence: Confidence
    source: Sources
    note: str = ""

    @property
    def from_memory(self) -> bool:
        """Whether the row cannot be used without something that was only remembered."""
        return "memory" in (self.party_basis, self.confidence)


class Troops(BaseModel):
    """One count of people.

    Attributes: day (of the case); count; measure (see `MEASURES`); scope (all, or the state whose people are counted);
    by_place (the count is of people in that state, whoever sent them: the model counts by home state, so it is not scored).
    """

    model_config = _STRICT
    day: int = Field(ge=0)
    count: int = Field(ge=0)
    measure: Literal[
        "in_place", "on_the_line", "in_border_states", "on_orders", "activated", "ordered", "planned", "target"
    ]
    scope: str = "all"
    by_place: bool = False
    confidence: Confidence
    source: Sources
    note: str = ""

    @property
    def from_memory(self) -> bool:
        """Whether the row rests on memory."""
        return self.confidence == "memory"
