"""Exercises: commit to an answer, run, see how far off it was; a worksheet to print, and the key apart."""

from typing import Any

import streamlit as st

from sim import exercises
from sim.exercises import Exercise, Question, Run, Step
from sim.pages import document
from sim.pages.files import download
from sim.pages.words import plain
from sim.parameters import InputError
from sim.report import said
from sim.results import Ensemble
from sim.worksheets import html_page, key_sheet, markdown, worksheet

Forecast = float | tuple[float, float] | str


def page() -> None:
    """One exercise, step by step."""
    st.title("Exercises")
    st.markdown("Each asks for an answer before the runs are seen: a forecast that nobody wrote down teaches nothing.")
    found = {name: exercises.load(name) for name in exercises.names()}
    name = st.selectbox(
        "Exercise",
        list(found),
        format_func=lambda name: f"{found[name].title} ({found[name].minutes} minutes)",
        key="exercise",
    )
    if name is None:
        return
    exercise = found[name]
    st.header(plain(exercise.title))
    st.markdown(f"**Aim.** {plain(exercise.aim)}")
    st.markdown(f"**{exercise.minutes} minutes.** {plain(exercise.before_you_begin.strip())}")
    download(
        "Worksheet to print",
        f"{name}.html",
        lambda: html_page(exercise.title, worksheet(exercise)),
        key=f"worksheet/{name}",
        icon=":material/print:",
    )
    for number, step in enumerate(exercise.steps, 1):
        with st.container(border=True):
            _step(name, number, step)
    with st.expander("For instructors: the key", key=f"key/{name}", on_change="rerun") as below:
        if below.open:
            _key(name, exercise)


def _step(name: str, number: int, step: Step) -> None:
    """What is done, the questions to commit to, and then what the runs say."""
    st.subheader(plain(f"{number}. {step.title}"))
    st.markdown(plain(f"{step.do} ({step.minutes} minutes)"))
    before = [question for question in step.questions if question.before]
    committed: dict[str, Forecast] | None = st.session_state.get(f"committed/{name}/{number}")
    if before and committed is None:
        answers = {question.id: _asked(name, question) for question in before}
        st.button(
            "Commit to these answers",
            key=f"commit/{name}/{number}",
            disabled=None in answers.values(),
            on_click=_commit,
            args=(f"committed/{name}/{number}", answers),
        )
        return
    for question in before:
        _judged(name, question, (committed or {})[question.id])
    for run, words in ((step.run, "Open this scenario"), (step.against, "Open the scenario to compare with")):
        if run:
            st.button(
                f"{words}: {plain(exercises.scenario_of(run).title)}",
                key=f"open/{name}/{number}/{words}",
                on_click=_open,
                args=(run,),
            )
            st.code(run.command, language="sh", wrap_lines=True)
    for question in step.questions:
        if not question.before:
            _asked(name, question)
    if before:
        st.button(
            "Answer again", key=f"again/{name}/{number}", on_click=_commit, args=(f"committed/{name}/{number}", None)
        )


def _asked(name: str, question: Question) -> Forecast | None:
    """The control in which one question is answered; None as long as nothing is chosen."""
    key, text = f"answer/{name}/{question.id}", plain(question.ask)
    if question.kind == "chance":
        return float(st.slider(text, 0, 100, 50, 5, format="%d %%", key=key)) / 100.0
    if question.kind == "choice":
        return st.radio(text, question.choices, None, key=key)
    if question.kind == "words":
        return str(st.text_area(text, key=key, max_chars=2000))
    low, high = st.slider(
        plain(f"{question.ask} With {100 * question.level:.0f} % confidence, in {question.unit}"),
        question.least,
        question.most,
        (question.least, question.most),
        1.0,
        format="%,.0f",
        key=key,
    )
    return low, high


def _judged(name: str, question: Question, answer: Forecast) -> None:
    """A committed answer, and how far it lay from the runs."""
    st.markdown(f"**{plain(question.ask)}**")
    key = exercises.load_key(name)
    if isinstance(answer, str):
        right = key.answer(question.id).choice
        told = "" if right is None else f" The runs say: {right}."
        st.markdown(plain(f"You said: {answer or 'nothing'}.{told}"))
        return
    score = exercises.scored(question, key, answer, _played)
    mine = (
        f"{100 * answer:.0f} %"
        if isinstance(answer, float)
        else f"{said(answer[0])} to {said(answer[1])} {question.unit}"
    )
    rule = "Brier score" if question.kind == "chance" else "interval score"
    st.markdown(
        plain(
            f"You said: {mine}. {rule} {score.score:.3g} (lower is better; {score.best:.3g} is that of whoever knew the runs, "
            f"{score.vague:.3g} that of whoever said nothing). {key.answer(question.id).told}"
        )
    )


def _key(name: str, exercise: Exercise) -> None:
    """The key, with every number computed now."""
    key = exercises.load_key(name)
    with st.status("Computing every number of the key") as status:
        found = exercises.recomputed(key, _played)
        wrong = [row for row in found if not row.is_same]
        words = (
            "every number of the key is as it is kept" if not wrong else f"{len(wrong)} numbers differ from those kept"
        )
        status.update(label=f"{len(found)} numbers computed: {words}", state="complete" if not wrong else "error")
    blocks = key_sheet(exercise, key, found)
    st.markdown(markdown(blocks[1:]))
    download(
        "Key to print",
        f"{name}-key.html",
        lambda: html_page(f"{exercise.title}: the key", blocks),
        key=f"keyfile/{name}",
        icon=":material/print:",
    )


def _played(run: Run) -> Ensemble:
    """The runs of a plan, from whoever asked first."""
    return _ensemble(run.model_dump_json(), run)


@st.cache_resource(max_entries=6, show_spinner="Running the scenario of the exercise")
def _ensemble(told: str, _run: Run) -> Ensemble:
    return exercises.run_of(_run)


def _commit(key: str, answers: dict[str, Any] | None) -> None:
    st.session_state[key] = answers


def _open(run: Run) -> None:
    """The scenario of a run becomes the document, so that all pages show it."""
    try:
        document.open_scenario(exercises.scenario_of(run), run.seed, run.replications)
        document.tell("success", "The scenario of the exercise is open on all pages.")
    except InputError as error:
        document.tell("error", str(error))
