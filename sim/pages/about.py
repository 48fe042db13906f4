"""About: limits first, what the text says and where it is silent, both sides' arguments, the words, versions, how to cite."""

from importlib.metadata import PackageNotFoundError, version

import streamlit as st

from sim import compiled, texts
from sim.pages.words import plain
from sim.parameters import model_version, parameter, register
from sim.report import NOT_A_FORECAST
from sim.world import legal_table

SAYS = ("T1", "T4", "T11", "T8", "T3", "T12")
PACKAGES = ("numpy", "simpy", "numba", "pydantic", "pyarrow", "plotly", "streamlit")


def page() -> None:
    """Everything that the simulator says of itself."""
    told = texts.about()
    st.title("About this simulator")
    st.markdown(f"**{plain(told['question'])}**")
    st.markdown(plain(f"Reading time of this page: {_minutes()} minutes."))
    st.header("What it is not: limits first")
    for limit in told["limits"]:
        st.markdown(f"**{plain(limit['title'])}.** {plain(limit['text'])}")
    st.header("What it is")
    st.markdown(_what_it_is())
    st.header("What the news text says")
    st.markdown("\n".join(f"- {plain(row['claim'])} ({name})" for name, row in texts.claims().items() if name != "T23"))
    st.markdown(
        f"**The quality of the source.** {plain(texts.claims()['T23']['claim'])} {plain(texts.source()['note'])}"
    )
    st.header("Where the text is silent, and what is assumed")
    st.table(
        {
            "The text does not say": [plain(row["text"].rstrip(".")) for row in told["silent"]],
            "So the model assumes": [plain(row["assumed"]) for row in told["silent"]],
            "Set by": [plain(", ".join(parameter(name).label for name in row["parameters"])) for row in told["silent"]],
        },
        hide_index=True,
        alt="Where the text is silent, and what is assumed",
    )
    st.header("A timeline from the text")
    for row in told["timeline"]:
        st.markdown(f"**{plain(row['when'])}.** {plain(texts.claims()[row['claim']]['claim'])}")
    st.header("Arguments on the request")
    arguments()
    st.header("Words")
    words()
    st.header("Versions, and how to cite")
    st.markdown(_citation())
    st.code(_versions(), language=None, wrap_lines=True)


def first_screen() -> None:
    """What a visitor reads before everything: short, once, and put away with one click."""
    # Its place stays when it is put away, or everything below would be drawn anew.
    place = st.container()
    if st.session_state.get("has_read") or st.query_params.get("s"):
        return
    told = texts.about()
    says = [plain(texts.claims()[name]["claim"]) for name in SAYS]
    silent = [plain(row["text"]) for row in told["silent"]]
    assumed = [plain(row["assumed"]) for row in told["silent"]]
    with place.container(border=True, key="first_screen"):
        st.header("Before you start")
        minutes = texts.minutes(*says, *silent, *assumed)
        st.markdown(plain(f"{minutes} {'minute' if minutes == 1 else 'minutes'} of reading. {NOT_A_FORECAST}"))
        columns = zip(
            st.columns(3),
            ("What the text of May 2025 says", "Where it is silent", "What is assumed there"),
            (says, silent, assumed),
            strict=True,
        )
        # What is closed is not drawn: it would travel with every move of a lever.
        for k, (column, heading, lines) in enumerate(columns):
            with column, st.expander(heading, key=f"first/{k}", on_change="rerun") as part:
                if part.open:
                    st.markdown("\n".join(f"- {line}" for line in lines))
        with st.expander("Words used here", key="first/words", on_change="rerun") as part:
            if part.open:
                words()
        st.button("I have read this: show the model alone", key="has_read_now", on_click=_put_away)


def arguments() -> None:
    """Both sides' arguments, side by side and at equal length."""
    for column, side in zip(st.columns(2), texts.about()["arguments"], strict=True):
        with column, st.container(border=True):
            st.markdown(f"**{plain(side['side'])}**")
            st.markdown("\n".join(f"- {plain(point)}" for point in side["points"]))


def words() -> None:
    """The glossary."""
    st.markdown("\n".join(f"- **{plain(row['word'])}**: {plain(row['meaning'])}" for row in texts.about()["words"]))


def _put_away() -> None:
    st.session_state["has_read"] = True


def _what_it_is() -> str:
    kinds = [entry.source == "assumption" for entry in register().values()]
    return plain(
        "A model of the 54 Guard jurisdictions as agents: the requester asks, governors answer, volunteers come forward, are "
        "screened, trained and sent, and shocks strike. Each run has its own draw of what nobody knows and its own luck; a page "
        f"shows a thousand of them. Of its {len(kinds)} numbers and choices, {sum(kinds)} are assumptions and say so; the others "
        "name the news text, public data or a fit to past requests as their source."
    )


def _minutes() -> int:
    told = texts.about()
    parts: list[str] = [row["claim"] for row in texts.claims().values()]
    parts += [f"{row['title']} {row['text']}" for row in told["limits"]]
    parts += [f"{row['text']} {row['assumed']}" for row in told["silent"]]
    parts += [point for side in told["arguments"] for point in side["points"]]
    parts += [f"{row['word']} {row['meaning']}" for row in told["words"]]
    return texts.minutes(_what_it_is(), *parts)


def _citation() -> str:
    return plain(
        f"Guard request simulator, model {model_version()}. Cite it with the model version and the run passport of each result "
        "that you quote: the passport rebuilds the scenario, and anybody can check the numbers. CITATION.cff has the entry for "
        "reference managers."
    )


def _versions() -> str:
    """The model and the packages that it runs on."""
    lines = [f"model {model_version()}; law as of {legal_table()['dated']}"]
    for name in PACKAGES:
        try:
            lines.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            lines.append(f"{name}: not installed")
    why_not = compiled.unavailable()
    lines.append("engine: compiled" if why_not is None else f"engine: SimPy ({why_not})")
    return "\n".join(lines)
