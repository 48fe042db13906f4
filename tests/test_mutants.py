"""The test of equality is worth something: one day or one person planted wrong in any step of the loop is caught.

The loop over days runs here as plain Python, in a copy of its source with one error planted at a time.
"""

import sys
import types
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from sim import compiled, model
from sim.parameters import Value
from sim.scenario import Change
from sim.setting import Setting
from sim.shocks import Appeal, Clarification, CourtOrder, Disaster, FundingLapse, Incident, Turnover
from tests.plays import WILLING, accept, say, setting, sizes
from tests.test_engines import assert_same

pytest.importorskip("numba")
# The modules of the loop, each after those that it imports.
PARTS = (
    "compiling",
    "layout",
    "rows",
    "steps",
    "before",
    "asking",
    "answering",
    "moving",
    "desks",
    "seats",
    "evening",
    "__init__",
)
SOURCES = {
    part: (Path(compiled.__file__).with_name("kernel") / f"{part}.py").read_text(encoding="utf-8") for part in PARTS
}

# What to plant: the step, what stands there, and what is put in its place. Each must stand in the source exactly once.
MUTANTS = [
    ("asking", "nation.next_ask = day + int(p.rounds_gap_days)", "nation.next_ask = day + int(p.rounds_gap_days) + 1"),
    (
        "asking",
        "and day == nation.next_ask\n",
        "and day == nation.next_ask + 1\n",
    ),
    ("asking", "sought -= in_force(work)", "sought -= in_force(work) + 1"),
    (
        "asking",
        "home.deadline = nation.day + int(p.request_deadline_days)",
        "home.deadline = nation.day + int(p.request_deadline_days) - 1",
    ),
    ("asking", "home.quota = max(home.quota, quota)", "home.quota = quota"),
    ("asking", "asks = home.asks if home.is_pending else home.asks + 1", "asks = home.asks + 1"),
    ("sending", "day == home.asked_on + 1:", "day == home.asked_on + 2:"),
    ("command", "if since < 0.0 or day < int(since):", "if since < 0.0 or day <= int(since):"),
    ("command", "shortfall = max(0, target(p) - in_force(work))", "shortfall = max(0, target(p) - in_force(work) + 1)"),
    (
        "answering",
        "1.0 if day >= home.deadline - p.decide_last_days else 0.0",
        "1.0 if day > home.deadline - p.decide_last_days else 0.0",
    ),
    (
        "answering",
        "    if day >= home.deadline:\n        lapse(decisions, home, nation, levers, p, changes, disaster, shock, i, role)\n        return\n    if role < 0",
        "    if day > home.deadline:\n        lapse(decisions, home, nation, levers, p, changes, disaster, shock, i, role)\n        return\n    if role < 0",
    ),
    (
        "answering",
        "kind_of(purpose), day >> 2",
        "kind_of(purpose), day + 1 >> 2",
    ),
    ("reconsidering", "return 1 if purpose == luck.WITHDRAW else 0", "return 0"),
    (
        "reconsidering",
        "day >= home.call_day + int(p.directed_patience)",
        "day > home.call_day + int(p.directed_patience)",
    ),
    ("calling", "nation.entered[i] + to_come(nation, i) + n\n", "nation.entered[i] + to_come(nation, i) + n + 1\n"),
    ("calling", "since = nation.day - 1 - dwell", "since = nation.day - dwell"),
    ("calling", "home.calls += 1", "home.calls += 2"),
    (
        "ordering",
        "home.ordered_by = nation.day + int(p.federalize_ramp_days) - 1",
        "home.ordered_by = nation.day + int(p.federalize_ramp_days)",
    ),
    ("ordering", "nation.offer[i] = nation.entered[i] + n\n", "nation.offer[i] = nation.entered[i] + n - 1\n"),
    (
        "leaving",
        "n = min(here[i], np.int32(whole_of(leaving[i]) - left[i]))",
        "n = min(here[i], np.int32(whole_of(leaving[i]) - left[i])) - 1",
    ),
    ("leaving", "if work.days[day].is_lapse else 1.0))", "if work.days[max(0, day - 1)].is_lapse else 1.0))"),
    ("coming forward", "max(1, home.ordered_by - day + 1)", "max(1, home.ordered_by - day + 2)"),
    (
        "coming forward",
        "n = np.int32(whole_of(more) - entered[i])\n",
        "n = np.int32(max(0, whole_of(more) - entered[i] - 1))\n",
    ),
    (
        "screening",
        "while home.next_screened <= day - screening_days and left > 0:",
        "while home.next_screened < day - screening_days and left > 0:",
    ),
    ("screening", "left = np.int64(nation.capacity[i])\n", "left = np.int64(nation.capacity[i]) - 1\n"),
    (
        "screening",
        "work.calendar[came].people[AT_WAITING + 1, role, i] += seen - failed",
        "work.calendar[min(came + 1, day)].people[AT_WAITING + 1, role, i] += seen - failed",
    ),
    ("screening", ", day - screening_days\n", ", day - screening_days + 1\n"),
    (
        "screening",
        "row = work.calendar[came].people[AT_WAITING + 1, role]",
        "row = work.calendar[came + 1].people[AT_WAITING + 1, role]",
    ),
    ("screening", "failing = np.int32(failed - out[i])", "failing = np.int32(max(0, failed - out[i] - 1))"),
    ("screening", "home.next_screened = 1, came\n", "home.next_screened = 1, came + 1\n"),
    ("screening", "        home.is_behind, nation.keeps_up[i] = 0, -1\n", "        home.is_behind = 0\n"),
    (
        "screening",
        "home.next_screened if home.is_behind else max(0, since - nation.screening_days)",
        "home.next_screened if home.is_behind else max(0, since - nation.screening_days + 1)",
    ),
    (
        "seating",
        "until = min(nation.day + nation.course_days[role], n_days)\n    o =",
        "until = min(nation.day + nation.course_days[role] + 1, n_days)\n    o =",
    ),
    (
        "seating",
        "until = min(nation.day + nation.course_days[role], n_days)\n    row",
        "until = min(nation.day + nation.course_days[role] + 1, n_days)\n    row",
    ),
    (
        "seating",
        "waiting = 0\n            for slot in range(1 - nation.any_moved, 2):",
        "waiting = 0\n            for slot in range(1, 2):",
    ),
    ("rationing", "            add_row(row, going)\n", ""),
    ("rationing", "seated[i] = min(quotas[i], totals[i])", "seated[i] = quotas[i]"),
    ("rationing", "            quotas[i] -= seated[i]\n", ""),
    ("rationing", "range(0, len(seated), LANES)", "range(0, LANES, LANES)"),
    ("splitting", "part + off, over - off * total\n", "part + off, over - total\n"),
    (
        "splitting",
        "rests[other, i] >= rests[role, i] if other < role",
        "rests[other, i] > rests[role, i] if other < role",
    ),
    ("splitting", "going[role, i] += rank < left", "going[role, i] += rank <= left"),
    ("seating", "left = n_seats - nation.n_training", "left = n_seats - nation.n_training - 1"),
    (
        "seating",
        "people.split(free, shares, quotas)\n    work.days[came].waiting -= free",
        "people.split(free - 1, shares, quotas)\n    work.days[came].waiting -= free - 1",
    ),
    ("supervising", "    free = most\n", "    free = most - 1\n"),
    ("supervising", "min(day + arrival, n_days)", "min(day + arrival + 1, n_days)"),
    (
        "travel",
        "home_day, away_day = min(day + int(p.travel_home_days), n_days)",
        "home_day, away_day = min(day + int(p.travel_home_days) + 1, n_days)",
    ),
    ("travel", "if plan.is_away[stage, i] and row[i]:", "if not plan.is_away[stage, i] and row[i]:"),
    (
        "tours",
        "until, layer = min(day + int(p.tour_days), n_days)",
        "until, layer = min(day + int(p.tour_days) + 1, n_days)",
    ),
    (
        "tours",
        "until, layer = min(nation.day + int(p.tour_days), n_days)",
        "until, layer = min(nation.day + int(p.tour_days) + 1, n_days)",
    ),
    ("tours", "gone = np.int32(n - stay)\n", "gone = np.int32(max(0, n - stay - 1))\n"),
    ("tours", "ended[i] += n\n", "ended[i] += n + 1\n"),
    ("tours", "taken = min(moving[i], owed[i])", "taken = 0"),
    ("tours", "work.roles[role].owed[i] += n", "work.roles[role].owed[i] += n + 1"),
    ("tours", "        settle(work, day)\n", "        pass\n"),
    (
        "disasters",
        "needed = p.offer_reserve * home.strength + on_duty",
        "needed = p.offer_reserve * home.strength + on_duty + 1",
    ),
    ("disasters", "serving -= recalled", "serving -= recalled - 1"),
    ("disasters", "min(day + int(p.disaster_days), n_days)", "min(day + int(p.disaster_days) + 1, n_days)"),
    (
        "shocks",
        "for later in range(day, min(day + days, len(calendar) - 1)):",
        "for later in range(day, min(day + days + 1, len(calendar) - 1)):",
    ),
    (
        "shocks",
        "for later in range(day, min(day + row.days, n_days)):",
        "for later in range(day, min(day + row.days + 1, n_days)):",
    ),
    ("shocks", "for later in range(day, n_days):", "for later in range(day + 1, n_days):"),
    ("shocks", "work.calendar[day - 1].shock[i] * keep", "work.calendar[day - 1].shock[i]"),
    (
        "shocks",
        "day = nation.approval + shocks.days_to_order(u[0], p.court_state_law_days)",
        "day = nation.approval + 1 + shocks.days_to_order(u[0], p.court_state_law_days)",
    ),
    (
        "shocks",
        "day = int(p.federalize_day) + shocks.days_to_order",
        "day = int(p.federalize_day) + 1 + shocks.days_to_order",
    ),
    ("shocks", "home.governor += WORD(new >> 2)", "home.governor += WORD((new >> 2) - 1)"),
    ("roles that close", "closing = closed & ~home.closed_before", "closing = closed & home.closed_before"),
    (
        "roles that close",
        "people.split(moved, nation.weights, nation.parts)",
        "people.split(moved - 1, nation.weights, nation.parts)",
    ),
    ("evening", "seen[i] = serving[i]\n", "seen[i] = serving[i] + 1\n"),
    ("evening", "at_home[i] = back[i]\n", "at_home[i] = back[i] + 1\n"),
    ("evening", "    nation.missing = 0\n", ""),
    ("peers", "nation.leaning[side] - lean[i]", "nation.leaning[side]"),
    ("peers", "near_asked += asked[plan.neighbors[k]]", "near_asked += asked[plan.neighbors[k]] + 1"),
    ("peers", "    home.picture = nation.picture\n", "    home.picture = nation.picture + 1\n"),
    (
        "luck of disasters",
        "luck.reach(ABOVE * p.disaster_rate * work.homes[i].most_disasters)",
        "luck.reach(0.5 * p.disaster_rate * work.homes[i].most_disasters)",
    ),
    ("peers", "nation.seen_side[i] = home.side + 1\n", "nation.seen_side[i] = home.side\n"),
    ("peers", "nation.has_moved[i] = nation.has_news = nation.has_said = 1", "nation.has_news = nation.has_said = 1"),
    ("peers", "(refusing - nation.refusing[i]) * home.strength\n        nation.lean", "0\n        nation.lean"),
    ("coming forward", "chance_today(work, levers, p, i, day, disaster)", "open_chance[i]"),
    ("coming forward", "if nation.weighed_on[roles] != day:", "if nation.weighed_on[roles] < 0:"),
    ("coming forward", "nation.chance if home.permitted else 0.0\n", "0.99 * nation.chance\n"),
    ("coming forward", "range(0, n, LANES)", "range(0, 1, LANES)"),
    (
        "coming forward",
        "nation.sizes[role] = levers.sizes[role]",
        "nation.sizes[role] = nation.wanted_sizes[role] = levers.sizes[role]",
    ),
    ("coming forward", "= i, coming_here, nation.n_wanted[roles]", "= i, coming_here - 1, nation.n_wanted[roles]"),
    ("coming forward", "n_people += coming_here\n", "n_people = coming_here\n"),
    ("coming forward", "if not nation.n_active:\n", "if nation.n_active < 2:\n"),
    ("falling behind", "over[i] = -capacity[i]\n", "over[i] = -capacity[i] - 1\n"),
    ("falling behind", "over[i] &= keeps_up[i]", "pass"),
    ("a calm day", "nation.forces_day = 0 if nation.is_calm else day", "nation.forces_day = 0"),
    ("screening", "(coming_here > nation.capacity[i])", "(coming_here > nation.capacity[i] + 1)"),
    ("screening", "is_crowded |= np.int64(coming", "is_crowded = np.int64(coming"),
    ("permitting", "is_permitted(general - nation.costs[r], threshold, u)", "is_permitted(general, threshold, u)"),
    ("sending", "if home.status != UNDECIDED:\n            wake", "if day > home.asked_on:\n            wake"),
    ("seats at once", "n_seats - nation.n_training >= work", "n_seats - nation.n_training + 1 >= work"),
    ("seats at once", "(waiting or nation.n_behind or", "(nation.n_behind or"),
    ("seats at once", "(waiting or nation.n_behind or", "(waiting or"),
    ("seats at once", "nation.n_behind or nation.any_ordered)", "nation.n_behind)"),
    (
        "seats at once",
        "until = min(day + nation.course_days[role], n_days)\n",
        "until = min(day + nation.course_days[role] + 1, n_days)\n",
    ),
    ("seats at once", "nation.n_training += screen_role(", "screen_role("),
    ("sleeping", "    home.is_bounded = 0\n    home.ordered_by = -1\n", "    home.ordered_by = -1\n"),
    ("sleeping", "    wake[i] = nation.day\n", "    wake[i] = nation.day + 1\n"),
    ("sleeping", "levers, p, day + 1, n_days)", "levers, p, day + 2, n_days)"),
    ("sleeping", "max(abs(low - cost), abs(high - cost))", "min(abs(low - cost), abs(high - cost))"),
    ("sleeping", "until = min(until, home.deadline)", "until = min(until, home.deadline + 1)"),
    ("sleeping", "range(max(since, 4 * four), min", "range(max(since + 1, 4 * four), min"),
    ("sleeping", "HAIR + ABOVE * rate, HAIR", "0.7 * rate, HAIR"),
    ("sleeping", "HAIR + ABOVE * rate * nation.haste", "0.5 * rate * nation.haste"),
    ("sleeping", "nation.haste = math.exp(max(p.decide_deadline, 0.0))", "nation.haste = 1.0"),
    (
        "sleeping",
        "low = look_ahead(nation, WORD(purpose), home.fips, first, top, last_top, last_days >> 2)",
        "low = WORD(0)",
    ),
    ("sleeping", "top, last_top, last_days >> 2)", "top, last_top, (last_days >> 2) + 1)"),
    ("sleeping", "top, last_top, last_days >> 2)", "top, top, last_days >> 2)"),
    ("sleeping", "late & ~early", "late & early"),
    ("sleeping", "(last_bound if day >= last_days else bound)", "bound"),
    ("sleeping", "(last_bound if day >= last_days else bound)", "(last_bound if day > last_days else bound)"),
    ("sleeping", "WORD(block) + WORD(b))", "WORD(block) + WORD(b + 1))"),
    (
        "sleeping",
        "keep_luck(home, which, four, uniforms(nation, b))",
        "keep_luck(home, which, four, uniforms(nation, 0))",
    ),
    ("disasters", "first + b, uniforms(nation, b)", "first + b, uniforms(nation, 0)"),
    ("sleeping", "home.deadline - p.decide_last_days))", "home.deadline - p.decide_last_days)) + 1"),
    (
        "sleeping",
        "home.withdraw_bound = HAIR + ABOVE * doubt(p, low - cost - MARGIN)",
        "home.withdraw_bound = doubt(p, low - cost + 12.0 * MARGIN)",
    ),
    ("sleeping", "agrees and doubt(p, low - cost) > home.withdraw_bound:", "agrees and home.withdraw_bound < 0.0:"),
    (
        "sleeping",
        "doubt(p, low - cost - MARGIN)",
        "doubt(p, high - cost - MARGIN)",
    ),
    (
        "sleeping",
        "max(since, home.call_day + int(p.directed_patience))",
        "max(since, home.call_day + int(p.directed_patience) + 1)",
    ),
    ("sleeping", "max(np.int64(nation.offer[i]), home.seen_serving) / home.strength", "0.0"),
    ("sleeping", "max(home.worst, work.calendar[later].disasters[i])", "0.0"),
    ("sleeping", "p.mobilized, -1.0, -1.0)", "p.mobilized, 0.0, 0.0)"),
    (
        "officers",
        "queue += people.whole_share(day - vetting, 1, applicants)",
        "queue += people.whole_share(day - vetting + 1, 1, applicants)",
    ),
    (
        "officers",
        "n_deputized += people.whole_share(day - learning, 1, agents)",
        "n_deputized += people.whole_share(day - learning, 1, agents) + 1",
    ),
]

STATES = "AZ CA DC NM TX VA"
ONE_ROUND: dict[str, Value] = {"review.days": 3.0, "rounds.gap_days": 12, "rounds.most": 4, "request.deadline_days": 10}
TIGHT: dict[str, Value] = {
    "training.seats": 60,
    "screening.rate": 60.0,
    "screening.pass": 0.83,
    "tour.days": 6,
    "tour.reup": 0.37,
    "tour.dwell_days": 5,
    "attrition": 0.013,
    "enforcement.supervisors": 3,
    "enforcement.per_supervisor": 4,
    "enforcement.arrest_authority": True,
    "law.reading": "permissive",
    "offer.recall_chance": 1.0,
    "volunteers.pace": 0.2,
    "volunteers.share": 0.3,
    "request.target": 3_000,
}
SIZES = sizes(administration=50, support=100, transport=200, detention=80, enforcement=90)


@cache
def plays() -> list[tuple[Setting, int]]:
    """A handful of small worlds in which everything happens."""
    mixed = ONE_ROUND | TIGHT | SIZES
    weather = [
        Disaster(kind="disaster", day=14, state="TX", size=0.4, days=4),
        FundingLapse(kind="funding_lapse", day=16, days=5),
        Incident(kind="incident", day=9, size=-1.5),
        Clarification(kind="clarification", day=6, ambiguity=0.1),
        CourtOrder(kind="court_order", day=22, roles=["transport", "enforcement"], states=["TX", "NM", "CA"], stay=6),
        Turnover(kind="turnover", day=5, state="VA", side="same_side"),
        Appeal(kind="appeal", day=8, same_side=0.5, other_side=-0.4),
    ]
    willing = WILLING | mixed | {"support.mission": 3.0, "support.fatigue": 0.7, "disaster.rate": 0.0}
    ordered = {
        "volunteers.basis": "ordered",
        "directed.patience": 3,
        "volunteers.share": 0.02,
        "directed.threshold": -3.0,
        "federalize.ramp_days": 3,
    }
    unhurried = WILLING | {"request.target": 1_000, "screening.rate": 0.0, "screening.pass": 1.0}
    federal = {"federalize.day": 12, "court.federal_clock": True, "court.federal_days": 8.0, "federalize.ramp_days": 3}
    crowding = [
        CourtOrder(kind="court_order", day=16, roles=["transport", "detention"], states=STATES.split(), stay="never")
    ]
    given = [accept("TX", 5, 400), say("TX", 25, "withdraw"), say("CA", 6, "decline"), say("NM", 4, "no_answer")]
    calm = {
        "support.mission": 0.0,
        "decide.pace": 0.1,
        "withdraw.base": -4.0,
        "disaster.rate": 8.0,
        "incident.random": True,
    }
    slow = mixed | {
        "decide.pace": 0.02,
        "decide.deadline": 2.0,
        "request.ambiguity": 0.9,
        "request.deadline_days": 25,
        "rounds.gap_days": 7,
        "support.fatigue": 0.8,
        "withdraw.burst": 0.0,
        "tour.days": 20,
        "hiring.weeks": 1,
        "hiring.vetting_days": 5,
        "hiring.pass": 0.137,
        "hiring.applicants": 0.9,
    }
    stretched = willing | {
        "request.target": 40_000,
        "offer.reserve": 0.45,
        "mobilized": 0.2,
        "volunteers.share": 0.9,
        "training.seats": 20_000,
        "screening.rate": 10_000.0,
        "tour.days": 30,
        "disaster.rate": 10.0,
        "disaster.size": 0.2,
        "disaster.days": 3,
    }
    courts = {"court.clock": True, "court.state_law_days": 8.0, "court.reach": 1.0, "withdraw.burst": 0.0}
    steps = [Clarification(kind="clarification", day=day, ambiguity=0.9 - 0.07 * day) for day in (5, 7, 9, 11)]
    later = [Incident(kind="incident", day=day, size=-1.5) for day in (25, 40)]
    storms = [Disaster(kind="disaster", day=30, state=code, size=0.1, days=4) for code in ("TX", "VA")]
    floods = [Disaster(kind="disaster", day=30, state=code, size=0.5, days=4) for code in ("TX", "VA")]
    closing = CourtOrder(kind="court_order", day=20, roles=["transport"], states=["TX", "NM", "CA"], stay=2)
    once = [
        setting(willing, STATES, 45, shocks=weather),
        setting(
            willing | ordered,
            STATES,
            45,
            shocks=weather[:2],
            changes=[Change(15, {"tour.days": 20}), Change(24, {"tour.days": 4})],
        ),
        # Those who are moved and those who came forward on the same day share too few seats.
        setting(WILLING | mixed | {"support.mission": 3.0, "training.seats": 200}, STATES, 40, shocks=crowding),
        setting(mixed | federal | {"federalize.states": "all"}, STATES, 45, seed=3, draw=2),
        setting(mixed | federal, STATES, 45, seed=4, draw=None, answers=given),
        setting(ONE_ROUND | calm | {"incident.rate": 0.1} | courts, STATES, 60, draw=4),
        setting(stretched, STATES, 40, shocks=storms),
        setting(stretched | {"offer.recall_chance": 0.0}, STATES, 40, shocks=floods),
        setting(
            stretched | {"mobilized": 0.4, "offer.reserve": 0.25, "training.seats": 300}, STATES, 40, shocks=floods
        ),
        setting(
            willing | {"mission.place": "border_strip", "request.roles.support": 500}, STATES, 40, shocks=weather[:4]
        ),
        setting(willing | {"attrition": 0.06, "tour.days": 15}, STATES, 60, shocks=[closing]),
        setting(
            slow | {"decide.pace": 0.2, "mission.place": "border_strip", "law.reading": "strict", "support.host": 4.0},
            STATES,
            60,
            shocks=[later[0]],
        ),
        # One more comes on a day than can be screened on it.
        setting(
            WILLING | {"request.target": 1_000, "screening.rate": 0.0, "screening.floor": 299.0},
            "TX",
            20,
            answers=[accept("TX", 0, 300)],
        ),
        # One more has passed than there are seats.
        setting(
            unhurried | {"training.seats": 299, "screening.floor": 300.0}, "TX", 20, answers=[accept("TX", 0, 300)]
        ),
        # A desk that is behind still has some who came before those who find a seat free.
        setting(
            unhurried | {"training.seats": 300, "screening.floor": 200.0},
            "CA TX",
            20,
            answers=[accept("TX", 0, 300), accept("CA", 1, 100)],
        ),
        # Sizes change when nobody is missing any more: that day's split is by those of the evening before.
        setting(
            WILLING | {"request.target": 100, "volunteers.share": 0.02, "volunteers.pace": 0.2},
            "TX",
            12,
            answers=[accept("TX", 0, 300)],
            changes=[Change(3, {"request.roles.support": 1})],
        ),
        # Seats for everybody, and those ordered go home sooner.
        setting(
            WILLING | ordered | {"tour.reup": 0.9, "directed.reup_factor": 0.1, "tour.days": 6, "screening.pass": 1.0},
            "TX",
            40,
        ),
    ]
    # Without a shock or a change governors sleep until they may act.
    asleep = slow | {
        "decide.pace": 0.06,
        "decide.conviction": 1.0,
        "support.neighbors": 2.0,
        "support.network": 1.0,
        "support.mission": 0.5,
    }
    torn = asleep | {
        "support.mission": 3.0,
        "support.load": 3.0,
        "support.disaster": 3.0,
        "disaster.rate": 10.0,
        "withdraw.base": -2.0,
        "withdraw.slope": 2.0,
        "withdraw.most": 50.0,
        "volunteers.share": 0.9,
        "support.fatigue": 4.0,
        "rounds.gap_days": 9,
    }
    drowsy = slow | {"decide.conviction": 0.3, "decide.pace": 0.04, "request.deadline_days": 14}
    laden = torn | {
        "support.neighbors": 0.0,
        "support.network": 0.0,
        "support.load": 10.0,
        "support.fatigue": 0.0,
        "support.mission": 4.0,
        "disaster.rate": 0.0,
        "request.target": 40_000,
        "training.seats": 20_000,
        "screening.rate": 10_000.0,
    }
    stormy = laden | {
        "support.load": 0.0,
        "support.disaster": 8.0,
        "disaster.rate": 10.0,
        "disaster.size": 0.3,
        "withdraw.base": -4.0,
    }
    tired = torn | {
        "support.mission": 7.0,
        "withdraw.base": -6.0,
        "withdraw.slope": 1.0,
        "disaster.rate": 0.0,
        "support.load": 0.3,
        "request.target": 40_000,
    }
    # Where one day matters to one governor by luck, several lucks are tried.
    often = [
        setting(slow, STATES, 60, seed=2, shocks=[*steps, *weather[5:], *later]),
        setting(slow | {"decide.pace": 0.1}, STATES, 40, seed=2, shocks=[*steps, *later[:1]]),
        setting(slow | courts | SIZES | {"decide.pace": 0.1}, STATES, 60, seed=6, shocks=weather[5:6]),
        setting(asleep, STATES, 60, seed=3),
        setting(torn, STATES, 60, seed=4),
        setting(drowsy, STATES, 60, seed=7),
        setting(laden, STATES, 60, seed=8),
        setting(stormy, STATES, 60, seed=8),
        setting(tired, STATES, 60, seed=9),
        setting(asleep | ordered | {"support.mission": 3.0}, STATES, 60, seed=5),
    ]
    return [(of, 3) for of in once] + [(of, replication) for of in often for replication in range(8)]


@cache
def references() -> list[Any]:
    return [model.run(of, replication) for of, replication in plays()]


def plain(sources: dict[str, str]) -> types.ModuleType:
    """The loop over days as plain Python: its modules, with nothing where Numba stands."""
    made = {name: types.ModuleType(name) for name in ("numba", "numba.core.caching", "numba.extending")}
    made["numba"].__dict__.update(config=None, njit=lambda **options: lambda function: function)
    made["numba.core.caching"].__dict__.update(UserProvidedCacheLocator=object)
    made["numba.extending"].__dict__.update(
        register_jitable=lambda *of, **options: of[0] if of else lambda function: function
    )
    # A row as long as these small worlds need: plain Python goes through all of it.
    sources = sources | {
        "layout": sources["layout"].replace("STEP = 64", "STEP = 8").replace("LANES = 16", "LANES = 2")
    }
    with patch.dict(sys.modules, made):
        for part in PARTS:
            name = f"sim.kernel.{part}".removesuffix(".__init__")
            module = sys.modules[name] = types.ModuleType(name)
            exec(compile(sources[part], f"{part}.py", "exec"), module.__dict__)
    return module


def first_caught(sources: dict[str, str]) -> int | None:
    """Which play shows that these sources are not the model, if one does; a crash shows it too."""
    module = plain(sources)
    with patch.object(compiled, "kernel", lambda: module), np.errstate(over="ignore"):
        for k, ((of, replication), reference) in enumerate(zip(plays(), references(), strict=True)):
            try:
                assert_same(reference, compiled.run(of, replication))
            except (AssertionError, IndexError, OverflowError, ValueError, ZeroDivisionError):
                return k
    return None


def test_the_loop_as_plain_python_is_the_model() -> None:
    assert first_caught(SOURCES) is None


@pytest.mark.parametrize(
    ("step", "right", "wrong"), MUTANTS, ids=[f"{k}-{step}" for k, (step, _, _) in enumerate(MUTANTS)]
)
def test_a_planted_error_is_caught(step: str, right: str, wrong: str) -> None:
    found = sum(source.count(right) for source in SOURCES.values())
    assert found == 1, f"{right!r} stands {found} times in the sources"
    caught = first_caught({part: source.replace(right, wrong) for part, source in SOURCES.items()})
    assert caught is not None, f"{step}: nothing shows {wrong!r}"
