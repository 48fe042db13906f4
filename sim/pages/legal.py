"""The legal card: who commands, who pays, who may refuse, and which roles are open, closed or contested."""

import streamlit as st

from sim.pages import charts
from sim.pages.words import plain
from sim.parameters import NEVER, ROLES
from sim.scenario import ROLE_NAMES, Scenario
from sim.world import legal_table, role_standing

MARKS = {"open": "open ✓", "closed": "closed ✕", "contested": "contested ?"}


def card(scenario: Scenario) -> None:
    """Who commands, who pays, who may refuse, and which roles are open, closed or contested."""
    law, day = legal_table(), scenario.value("federalize.day")
    statuses = [("Voluntary, under governors", str(scenario.value("request.status")))]
    if day != NEVER:
        statuses.append((f"From day {day}, where federalized", "title_10_12406"))
    st.header("Who commands, who pays, who may refuse")
    for column, (when, status) in zip(st.columns(len(statuses)), statuses, strict=True):
        with column, st.container(border=True):
            _status_card(scenario, when, status)
    reading = str(scenario.value("law.reading"))
    counted = "open" if reading == "permissive" else "closed"
    st.markdown(
        f":small[The law as of {plain(law['dated'])}, simplified; not legal advice. "
        f"Contested roles count as {counted} here: the {reading} reading.]"
    )


def _status_card(scenario: Scenario, when: str, status: str) -> None:
    act = bool(scenario.value("law.insurrection_act"))
    row = legal_table()["statuses"]["insurrection_act" if act and status.startswith("title_10") else status]
    row = {key: plain(str(text)) for key, text in row.items() if isinstance(text, str)}
    standing = role_standing(
        status,
        place=str(scenario.value("mission.place")),
        cross_state=bool(scenario.value("mission.cross_state")),
        insurrection_act=act,
        arrest_authority=bool(scenario.value("enforcement.arrest_authority")),
    )
    st.markdown(f"**{row['title']}** ({plain(when)})")
    st.markdown(
        f"Commanded by the {row['commands']}, paid by the {row['pays']}. The governor may refuse: {row['governor_may_refuse']}; "
        f"may withdraw: {row['governor_may_withdraw']}. Posse Comitatus Act: {row['posse_comitatus']}."
    )
    asked = {role: scenario.value(name) for role, name in zip(ROLES, ROLE_NAMES, strict=True)}
    charts.table(
        {
            "role": list(ROLES),
            "asked for": [f"{size:,}" for size in asked.values()],
            "by law": [MARKS[standing[role]] for role in ROLES],
        },
        f"Roles under {row['title']}",
    )
