"""The evening: the books, what everybody sees tomorrow, and the hash of the run."""

from typing import Any

from sim.kernel.compiling import part, rule
from sim.kernel.layout import (
    _MIX,
    AT_AWAITING,
    AT_HOME,
    AT_SCREENING,
    AT_WAITING,
    COUNT,
    DAY_STEP,
    GOLDEN,
    SAID_WEIGHT,
    WEIGHTS,
    WORD,
    Full,
    Work,
)
from sim.packed import N_ROLES, N_STAGES
from sim.results import (
    ACCEPTED,
    DECLINED,
    FEDERALIZED,
    IN_PLACE,
    LIMITED,
    NO_ANSWER,
    NOT_ASKED,
    SCREENING,
    UNDECIDED,
    WITHDRAWN,
)


@part
def keep_books(full: Full, work: Work, p: Any, series: Any, day: int) -> None:
    """Record the evening."""
    nation, below = work.nation[0], 0
    if nation.has_said:
        nation.has_said = 0
        for i in range(len(work.homes)):
            nation.said[i] = WORD(work.homes[i].status * 64 + work.homes[i].permitted) * SAID_WEIGHT
    hashes, linear, said = nation.hash, nation.linear, nation.said
    for i in range(len(linear)):
        linear[i] = 0
    for role in range(N_ROLES):
        counted = work.roles[role].linear
        for i in range(len(linear)):
            linear[i] += counted[i]
    for i in range(len(hashes)):
        hashes[i] = hashes[i] * DAY_STEP + (WORD(linear[i]) + said[i])
    serving, back, seen = nation.serving, nation.back, nation.seen
    at_home, strength, on_duty = work.calendar[day].people[AT_HOME, 0], nation.strengths, work.calendar[day].disasters
    for i in range(len(seen)):
        seen[i] = serving[i]
        at_home[i] = back[i]
    free, reserve = 1.0 - p.mobilized, p.offer_reserve
    for i in range(len(strength)):
        below += 1 if strength[i] * (free - on_duty[i]) - serving[i] < reserve * strength[i] else 0
    if len(full.people):
        for stage in range(N_STAGES):
            for role in range(N_ROLES):
                row = work.roles[role].counts[stage]
                for i in range(len(row)):
                    full.people[day, stage, role, i] = row[i]
        for i in range(len(work.homes)):
            full.status[day, i] = work.homes[i].status
            full.permitted[day, i] = work.homes[i].permitted
    status = nation.n_status
    series[0, day], series[1, day] = status[NOT_ASKED], status[UNDECIDED]
    series[2, day], series[3, day] = status[ACCEPTED] + status[LIMITED], status[LIMITED]
    series[4, day], series[5, day] = status[DECLINED], status[NO_ANSWER]
    series[6, day], series[7, day] = status[WITHDRAWN], status[FEDERALIZED]
    for stage in range(N_STAGES):
        n = 0
        for role in range(N_ROLES):
            n += work.roles[role].people[stage]
        series[8 + stage, day] = n
    at = 8 + N_STAGES
    for role in range(N_ROLES):
        series[at + role, day] = work.roles[role].people[IN_PLACE]
    at += N_ROLES
    series[at, day] = 1 if nation.n_sending else 0
    series[at + 1, day], series[at + 2, day] = work.days[day].hired, work.days[day].deputized
    series[at + 3, day], series[at + 4, day] = below, nation.missing
    nation.missing = 0


@part
def observe(work: Work) -> None:
    """Take the picture that all see tomorrow; leans are gathered anew only when somebody has moved."""
    nation = work.nation[0]
    for role in range(N_ROLES):
        serving = 0
        for stage in range(SCREENING, IN_PLACE + 1):
            serving += work.roles[role].people[stage]
        nation.wanted_missing[role] = max(0, nation.wanted_people[role] - serving)
        nation.wanted_sizes[role] = nation.sizes[role]
    if nation.has_news:
        nation.has_news = 0
        gather_leans(work)


@rule
def gather_leans(work: Work) -> None:
    """Leans of states that moved today; what each sees of its peers is worked out when it weighs: see `steps.look_around`."""
    nation = work.nation[0]
    nation.picture += 1
    for i in range(len(work.homes)):
        if not nation.has_moved[i]:
            continue
        nation.has_moved[i] = 0
        home, lean, asked = work.homes[i], 0, 0
        if home.has_governor:
            if home.status in (ACCEPTED, LIMITED):
                lean = 1
            elif home.status in (DECLINED, WITHDRAWN):
                lean = -1
            if home.status not in (NOT_ASKED, FEDERALIZED):
                asked = 1
        refusing = 1 if lean < 0 or (home.bars_outsiders and lean == 0) else 0
        # A governor who has taken office may be of another side than the one seen before.
        nation.leaning[nation.seen_side[i]] -= nation.lean[i]
        nation.n_asked[nation.seen_side[i]] -= nation.asked[i]
        nation.seen_side[i] = home.side + 1
        nation.leaning[home.side + 1] += lean
        nation.n_asked[home.side + 1] += asked
        nation.n_refusing += (refusing - nation.refusing[i]) * home.strength
        if home.in_strip:
            nation.n_refusing_in_strip += (refusing - nation.refusing[i]) * home.strength
        nation.lean[i], nation.asked[i], nation.refusing[i] = lean, asked, refusing
    nation.refused = nation.n_refusing / nation.strength
    nation.refused_in_strip = nation.n_refusing_in_strip / max(nation.strength_of_strip, 1)


@rule
def run_hash(work: Work) -> Any:
    """See `results.run_hash`."""
    nation, total, n_states = work.nation[0], WORD(0), len(work.homes)
    for i in range(n_states):
        total += mixed(nation.hash[i] ^ (WORD(i + 1) * GOLDEN))
    officers_hash = WORD(0)
    for day in range(len(work.days)):
        today = work.days[day]
        counts = COUNT(today.hired) * WEIGHTS[0, 0] + COUNT(today.deputized) * WEIGHTS[0, 1]
        officers_hash = officers_hash * DAY_STEP + WORD(COUNT(counts))
    return total + mixed(officers_hash ^ (WORD(n_states + 1) * GOLDEN))


@rule
def mixed(x: Any) -> Any:
    """The finalizer of splitmix64."""
    x = (x ^ (x >> _MIX[0])) * _MIX[1]
    x = (x ^ (x >> _MIX[2])) * _MIX[3]
    return x ^ (x >> _MIX[4])


@rule
def clean(work: Work, n_days: int) -> None:
    """Leave the workspace as it was found: the calendar empty."""
    nation = work.nation[0]
    work.calendar[n_days].people[:AT_AWAITING] = 0
    first = max(0, n_days - nation.screening_days)
    for a in range(nation.n_active):
        home = work.homes[nation.active[a]]
        if home.is_behind:
            first = min(first, home.next_screened)
    for day in range(first, n_days):
        work.calendar[day].people[AT_SCREENING] = 0
    for day in range(nation.first_waiting, n_days):
        work.calendar[day].people[AT_WAITING + 1] = 0
        if nation.any_moved:
            work.calendar[day].people[AT_WAITING] = 0
    if nation.n_awaiting:
        for day in range(nation.first_awaiting, n_days):
            work.calendar[day].people[AT_AWAITING:AT_WAITING] = 0
    for day in range(n_days):
        work.days[day].waiting = work.days[day].awaiting = work.days[day].screening = work.days[day].due = 0
        work.days[day].is_crowded = 0
