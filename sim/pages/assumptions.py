"""Assumptions: the register as a table, what differs, every claim of the text and where it lives, the law, contesting a value."""

from typing import Any

import streamlit as st

from sim import texts
from sim.contest import MOST_WORDS, contested, file_of
from sim.export import csv_of
from sim.pages import controls, document
from sim.pages.files import download
from sim.pages.words import plain, word
from sim.parameters import ROLES, InputError, Parameter, model_version, parameter, register
from sim.scenario import parse_setting
from sim.world import legal_table

KINDS = ("assumption", "the news text", "public data", "a fit to past requests")
# A table that is read shows so many rows; the search narrows it.
MOST_ROWS = 20


def page() -> None:
    """Four tables, and for any value what is said of it."""
    entries = list(register().values())
    n_assumed = sum(kind_of(entry) == "assumption" for entry in entries)
    st.title("Assumptions")
    st.markdown(
        plain(
            f"All {len(entries)} numbers and choices of model {model_version()}: {n_assumed} are assumptions, the others come from "
            "the news text, from public data or from a fit to past requests. Each can be changed here, and contested."
        )
    )
    tabs = st.tabs(["The register", "Changed here", "The text, claim by claim", "The law", "Contest a value"])
    for tab, show in zip(tabs, (_register, _changed, _claims, _law, _contest), strict=True):
        with tab:
            show()


def kind_of(entry: Parameter) -> str:
    """Where a value comes from: one of KINDS."""
    if entry.source == "assumption":
        return KINDS[0]
    if entry.source.startswith("source text"):
        return KINDS[1]
    return KINDS[3] if entry.source.startswith("fit to ") else KINDS[2]


def matching(words: str, kinds: list[str]) -> list[Parameter]:
    """Entries in which all the words stand, in whatever they say, and whose source is of one of the kinds."""
    wanted = words.lower().split()
    return [
        entry
        for entry in register().values()
        if kind_of(entry) in kinds
        and all(
            text in f"{entry.name} {entry.label} {entry.help} {entry.source} {entry.note} {entry.kind}".lower()
            for text in wanted
        )
    ]


def _register() -> None:
    st.header("The register")
    left, right = st.columns(2)
    words = left.text_input("Search", key="register/words", placeholder="A word, such as volunteers or court")
    kinds = right.pills(
        "Where the value comes from", KINDS, selection_mode="multi", default=KINDS, key="register/kinds"
    )
    found = matching(words, list(kinds))
    if not found:
        st.info("No entry has these words. Try one word, or all kinds.")
        return
    shown = found[:MOST_ROWS]
    more = "" if len(found) <= MOST_ROWS else f", of which the first {MOST_ROWS} are shown: search to see others"
    st.markdown(plain(f"{len(found)} of {len(register())} entries{more}."))
    st.table(_columns(shown), hide_index=True, alt="The register")
    download(
        "All of these as CSV",
        f"register-{model_version()}.csv",
        lambda: csv_of(_plain_columns(found)),
        key="register/csv",
    )
    name = st.selectbox(
        "Everything about one value",
        [entry.name for entry in found],
        format_func=lambda name: f"{register()[name].label} ({name})",
        key="register/one",
    )
    if name:
        _card(parameter(name))


def _columns(entries: list[Parameter]) -> dict[str, list[str]]:
    return {heading: [plain(value) for value in column] for heading, column in _plain_columns(entries).items()}


def _plain_columns(entries: list[Parameter]) -> dict[str, list[str]]:
    """What a table tells of entries; the value is the document's."""
    now = document.current().scenario
    return {
        "Value": [entry.label for entry in entries],
        "Name": [entry.name for entry in entries],
        "Now": [word(now.value(entry.name)) for entry in entries],
        "Unit": [entry.unit for entry in entries],
        "Plausible": [_range_of(entry) for entry in entries],
        "Comes from": [kind_of(entry) for entry in entries],
    }


def _range_of(entry: Parameter) -> str:
    return f"{entry.range[0]:g} to {entry.range[1]:g}" if entry.range else ", ".join(map(word, entry.choices))


def _card(entry: Parameter) -> None:
    """One entry in full, with its control."""
    with st.container(border=True):
        st.subheader(plain(entry.label))
        st.markdown(plain(entry.help))
        rows = {
            "Default": f"{word(entry.value)} {entry.unit}",
            "Plausible": _range_of(entry),
            "Allowed": entry.allowed,
            "Kind": entry.kind,
            "Source": entry.source,
            "Address": entry.url,
            "Note": entry.note,
            "Known": "in May 2025" if entry.known == "E" else "only later",
            "Text": ", ".join(name for name, row in texts.claims().items() if entry.name in row.get("parameters", [])),
        }
        st.markdown("  \n".join(f"**{key}**: {plain(text.strip())}" for key, text in rows.items() if text.strip()))
        if not entry.name.startswith("context."):
            controls.control(entry.name, "/assumptions")


def _changed() -> None:
    st.header("Changed from the baseline")
    rows = document.differences(document.current().scenario, document.baseline())
    if not rows:
        st.info(
            "Nothing differs from the baseline. Move a lever on Explore, or a value here, and it stands in this list."
        )
        return
    st.table(
        {
            "Value": [plain(row.label) for row in rows],
            "Here": [plain(row.here) for row in rows],
            "Baseline": [plain(row.there) for row in rows],
            "The baseline's comes from": [
                plain(row.entry.source if row.entry else "the scenario file") for row in rows
            ],
        },
        hide_index=True,
        alt="Changed from the baseline",
    )
    for row in rows:
        st.button(
            f"Back to the baseline: {plain(row.label)}",
            key=f"changed/{row.what}",
            on_click=document.take,
            args=(row.what, document.baseline()),
        )


def _claims() -> None:
    st.header("The text, claim by claim")
    st.markdown(plain(f"{texts.source()['title']}. {texts.source()['note']}"))
    rows = texts.claims()
    st.table(
        {
            "Claim": list(rows),
            "In our words": [plain(row["claim"]) for row in rows.values()],
            "Lives in": [plain(_lives_in(row)) for row in rows.values()],
        },
        hide_index=True,
        alt="The text, claim by claim",
    )


def _lives_in(row: dict[str, Any]) -> str:
    parts = [f"{parameter(name).label} ({name})" for name in row.get("parameters", [])]
    return "; ".join([*parts, *([f"shown: {row['shown']}"] if "shown" in row else [])])


def _law() -> None:
    st.header("The law, by legal status")
    law = legal_table()
    st.markdown(plain(f"As of {law['dated']}. {law['notice']}"))
    statuses = law["statuses"]
    named = {
        "Statute": "statute",
        "Commands": "commands",
        "Pays": "pays",
        "Posse Comitatus Act": "posse_comitatus",
        "A member's consent": "member_consent",
        "The governor's consent": "governor_consent",
        "The governor may refuse": "governor_may_refuse",
        "The governor may withdraw": "governor_may_withdraw",
    }
    st.table(
        {"Status": [plain(row["title"]) for row in statuses.values()]}
        | {heading: [plain(str(row[key])) for row in statuses.values()] for heading, key in named.items()},
        hide_index=True,
        alt="The law, by legal status",
    )
    for where, key in (("in the own state", "roles"), ("across state lines", "roles_across_state_lines")):
        st.subheader(f"Roles {where}")
        st.table(
            {"Status": [plain(row["title"]) for row in statuses.values()]}
            | {role: [row[key][role] for row in statuses.values()] for role in ROLES},
            hide_index=True,
            alt=f"Roles {where}",
        )
    st.subheader("What is contested, one reading and another")
    others = {"The strip at the border": law["border_strip"], "The power to arrest": law["arrest_authority"]}
    for title, row in ({row["title"]: row for row in statuses.values()} | others).items():
        with st.expander(plain(title)):
            st.markdown(plain(f"{row['note']} {row.get('contested', '')}"))
            for source in row["sources"]:
                st.markdown(f"- {plain(source['title'])}: {plain(source['url'])}")


def _contest() -> None:
    """A form whose answer is a scenario: the counter-value with its source."""
    st.header("Contest a value")
    st.markdown(
        "Who doubts a value says what it should be and where that stands. The answer is a scenario that holds the counter-value "
        "with its citation; what it changes shows on every page, and the register stays as it is."
    )
    name = st.selectbox(
        "The value",
        [name for name in register() if not name.startswith("context.")],
        format_func=lambda name: f"{register()[name].label} ({name})",
        key="contest/name",
    )
    if not name:
        return
    entry = parameter(name)
    told = f"The register has {word(entry.value)} {entry.unit}".strip()
    st.markdown(plain(f"{told}. Source: {entry.source}. Allowed: {entry.allowed}."))
    st.text_input("What it should be", key="contest/value")
    if entry.kind == "uncertainty" and entry.range:
        low, high = st.columns(2)
        low.text_input(
            "If it stays uncertain: from", key="contest/low", placeholder="leave empty to hold it in every run"
        )
        high.text_input("to", key="contest/high")
    st.text_input(
        "Where that stands", key="contest/source", placeholder="Author, year, title, address", max_chars=MOST_WORDS
    )
    st.text_input("Who contests it (may stay empty)", key="contest/by", max_chars=MOST_WORDS)
    st.button("Make it a scenario", key="contest/go", on_click=_contested, args=(name,))
    made = st.session_state.get("contest/made")
    if made:
        st.markdown("The scenario is open on all pages. As a file, to be put beside the baseline:")
        st.code(made, language="toml", wrap_lines=True)
        download("Download the scenario file", "contested.toml", lambda: made, key="contest/file")


def _contested(name: str) -> None:
    """Make a scenario of the form, or say what is wrong with it."""
    said = {
        key: str(st.session_state.get(f"contest/{key}") or "").strip()
        for key in ("value", "low", "high", "source", "by")
    }
    base = document.baseline()
    st.session_state["contest/made"] = None
    try:
        _, value = parse_setting(f"{name}={said['value']}")
        ends = _ends(said["low"], said["high"]) if parameter(name).kind == "uncertainty" else None
        scenario = contested(base, name, value, said["source"], ends=ends, by=said["by"])
        st.session_state["contest/made"] = file_of(scenario, name, f"{base.name}.toml")
        document.open_scenario(scenario)
    except InputError as error:
        document.tell("error", str(error))


def _ends(low: str, high: str) -> tuple[float, float] | None:
    """Both ends of a range, or None where both are left empty."""
    if not low and not high:
        return None
    try:
        return float(low), float(high)
    except ValueError:
        raise InputError(f"from {low!r} to {high!r}: both ends must be numbers, or both stay empty") from None
