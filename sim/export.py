"""What people take away: one HTML page that needs nothing else, and the numbers on screen as CSV or Parquet.

The page draws its own charts with no request to anywhere: plotly.js stands in it once, and its content security policy forbids
the rest. Templates, colours and margins are written out, since a program that has imported Streamlit has others as Plotly's
defaults. Everything in it names its run by the passport.
"""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sim import outcomes, plots
from sim.outcomes import OUTCOMES, band
from sim.parameters import InputError, model_version, register
from sim.passport import passport_of
from sim.report import NOT_A_FORECAST, in_words, ranged, said, side_alone, who_commands, whole
from sim.results import Ensemble
from sim.scenario import Scenario
from sim.summary import LEVELS, Summary, mean, quantiles
from sim.world import load_world

INK, PAPER = "#222222", "#ffffff"
# What a spreadsheet takes for the beginning of a formula.
_FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")


# --- Tables


def cell(value: Any) -> Any:
    """A value as a spreadsheet may safely see it: text that looks like a formula begins with an apostrophe, numbers stay."""
    if not isinstance(value, str) or not _FORMULA.match(value):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def csv_of(columns: Mapping[str, Sequence[Any]]) -> str:
    """A table as CSV, whatever its texts say; columns are of one length."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([cell(name) for name in columns])
    writer.writerows([cell(value) for value in row] for row in zip(*columns.values(), strict=True))
    return text.getvalue()


def parquet_of(columns: Mapping[str, Sequence[Any]], passport: str | None) -> bytes:
    """A table as a Parquet file that names its run in its metadata."""
    table = pa.table(dict(columns)).replace_schema_metadata({"passport": passport or ""})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def daily_table(
    ensemble: Ensemble | Summary, names: Sequence[str], days: Sequence[int] | None = None
) -> dict[str, list[Any]]:
    """Some series by day: their 5, 25, 50, 75 and 95 % quantiles over runs.

    Parameters
    ----------
    names
        Series, by their names in `results.SERIES`.
    days
        The days told; all if absent.
    """
    days = range(ensemble.n_days) if days is None else days
    table: dict[str, list[Any]] = {
        "day": list(days),
        "date": [(ensemble.scenario.start + timedelta(days=day)).isoformat() for day in days],
    }
    for name in names:
        for level, row in zip(LEVELS, quantiles(ensemble, name), strict=True):
            quantile = "median" if level == 0.5 else f"{100 * level:.0f} %"
            table[quantile if len(names) == 1 else f"{name} {quantile}"] = [round(float(row[day]), 2) for day in days]
    return table


def told_table(columns: Mapping[str, Sequence[str]]) -> pa.Table:
    """Columns of words, all of one length, as an Arrow table, which Streamlit sends as it is."""
    return pa.table({name: pa.array(column, pa.string()) for name, column in columns.items()})


def mean_table(ensemble: Ensemble | Summary, names: Sequence[str], days: Sequence[int]) -> dict[str, list[Any]]:
    """Some series by day: their means over runs."""
    dates = [(ensemble.scenario.start + timedelta(days=day)).isoformat() for day in days]
    means = {name: mean(ensemble, name) for name in names}
    words = {"with_limits": "of them with limits"}
    columns = {
        words.get(name, name.replace("_", " ")): [round(float(mean[day]), 2) for day in days]
        for name, mean in means.items()
    }
    return {"day": list(days), "date": dates, **columns}


# --- Charts


def stamp(ensemble: Ensemble) -> str:
    """What every chart and table names: the passport, or why there is none."""
    if code := passport_of(ensemble):
        return f"Passport {code}"
    return f"{int(ensemble.done.sum())} of {len(ensemble.pairs)} runs, digest {ensemble.digest[:12]}"


def stamped(figure: Any, words: str) -> Any:
    """A copy of a figure for paper: on white, with room for its axes, and the words below on the right."""
    figure = type(figure)(figure)
    figure.update_layout(
        paper_bgcolor=PAPER,
        plot_bgcolor=PAPER,
        font={"color": INK, "family": "sans-serif", "size": 13},
        margin={"l": 80, "r": 30, "t": 20, "b": 110},
        hoverlabel={"bgcolor": PAPER, "font": {"color": INK}},
    )
    figure.add_annotation(
        text=escape(words), xref="paper", yref="paper", x=1.0, y=1.0, xanchor="right", yanchor="bottom", showarrow=False
    )
    figure.update_annotations(font={"size": 10, "color": "#666666", "family": "monospace"})
    return figure


# --- The page


@dataclass(frozen=True)
class _Chart:
    """A chart of the page: heading, plot and its further arguments, and the table with the same numbers."""

    heading: str
    plot: Callable[..., Any]
    levels: tuple[Any, ...]
    table: Callable[[Sequence[int]], dict[str, list[Any]]]


def html_report(ensemble: Ensemble, baseline: Scenario | None) -> str:
    """A page that tells a scenario and its result: what it is not first, then who commands, the answer, charts, all numbers.

    Raises
    ------
    InputError
        If no run has finished.
    """
    if not ensemble.done.any():
        raise InputError(f"{ensemble.scenario.name}: no run has finished, so there is nothing to report")
    scenario, run = ensemble.scenario, stamp(ensemble)
    sections = [
        ("Read this first", _items(_limits(ensemble))),
        ("The answer", f'<p class="answer">{escape(in_words(ensemble))}</p>{_run(run)}'),
        ("Who commands, who pays, who may refuse", _paragraphs(who_commands(scenario))),
        ("What differs from the baseline", _differences(scenario, baseline)),
        *((chart.heading, _drawn(ensemble, chart, run, number)) for number, chart in enumerate(_charts(ensemble))),
        ("All outcomes", _table(_outcomes(ensemble), f"Over {int(ensemble.done.sum()):,} runs. {run}")),
        ("To run it again", _again(ensemble, run)),
    ]
    body = "\n".join(f"<section><h2>{escape(heading)}</h2>\n{inner}\n</section>" for heading, inner in sections)
    return PAGE.format(
        title=escape(scenario.title),
        question=escape(scenario.question),
        body=body,
        foot=escape(f"Model {model_version()}, seed {ensemble.seed}, digest {ensemble.digest[:12]}. {run}"),
    )


def _limits(ensemble: Ensemble) -> list[str]:
    """What the page is not, before anything else."""
    entries = register().values()
    assumed = sum(entry.source == "assumption" for entry in entries)
    lines = [
        NOT_A_FORECAST,
        f"Of the {len(entries)} values behind it, {assumed} are assumptions that nobody has measured; the rest have a source, "
        "and most of those describe the past.",
        "More runs make the bands steadier, not the assumptions truer.",
        "It judges no answer as good or bad: a governor who agrees and one who declines are both inside their rights.",
        "It is not legal advice, and it knows no person: a governor is a side, the facts of a state, and luck.",
    ]
    if ensemble.errors or not ensemble.done.all():
        lines.append(f"{int((~ensemble.done).sum())} of {len(ensemble.pairs)} runs did not finish and are left out.")
    return lines


def _charts(ensemble: Ensemble) -> list[_Chart]:
    """The three charts of the page."""
    scenario = ensemble.scenario
    target, active = (int(scenario.value(name)) for name in ("request.target", "context.active_duty_border"))  # type: ignore[arg-type]
    governors = sum(state.has_governor for state in load_world().states)
    answers = [name for name in plots.ANSWERS if ensemble.daily(name).any()]
    return [
        _Chart(
            "Mobilization",
            plots.troops_in_place,
            (target, active),
            lambda days: daily_table(ensemble, ["in_place"], days),
        ),
        _Chart(
            "Governors who agree",
            plots.states_agreeing,
            (governors, side_alone(scenario)),
            lambda days: daily_table(ensemble, ["agreeing"], days),
        ),
        _Chart("Governors by answer", plots.states_by_answer, (), lambda days: mean_table(ensemble, answers, days)),
        _Chart(
            "The way into place", plots.pipeline, (), lambda days: mean_table(ensemble, list(plots.ON_THE_WAY), days)
        ),
    ]


def _drawn(ensemble: Ensemble, chart: _Chart, run: str, number: int) -> str:
    """A chart with its caption, what it shows in words, and its numbers as a table."""
    caption = plots.caption(chart.plot, ensemble)
    table = chart.table(plots.marked_days(ensemble.n_days, 14))
    drawn = stamped(chart.plot(ensemble, *chart.levels), run).to_html(
        full_html=False,
        # The library stands in the page once, before the first chart.
        include_plotlyjs=number == 0,
        div_id=f"chart-{number}",
        config={
            "displaylogo": False,
            "responsive": True,
            "toImageButtonOptions": {"filename": f"{ensemble.scenario.name}-{number + 1}", "scale": 2},
        },
    )
    last = {name: values[-1] for name, values in table.items() if name not in ("day", "date")}
    words = ", ".join(f"{name} {said(value)}" for name, value in last.items())
    told = f"{caption} On day {table['day'][-1]}: {words}."
    return (
        f'<figure role="group" aria-label="{escape(told)}"><figcaption>{escape(caption)}</figcaption>\n{drawn}\n</figure>\n'
        f"<p>{escape(told)}</p>\n<details><summary>The numbers of this chart</summary>{_table(table, run)}</details>"
    )


def _outcomes(ensemble: Ensemble) -> dict[str, list[Any]]:
    """Every outcome with its unit and band."""
    rows: dict[str, list[Any]] = {key: [] for key in ("outcome", "unit", "median (5-95 %)", "± of the median", "never")}
    for name, values in outcomes.measure_all(ensemble).items():
        found = band(values)
        error = "-" if found.error is None else f"± {whole(found.error)}"
        told = (OUTCOMES[name].label, OUTCOMES[name].unit, ranged(found), error, f"{100 * found.never:.0f} %")
        for column, value in zip(rows.values(), told, strict=True):
            column.append(value)
    return rows


def _differences(scenario: Scenario, baseline: Scenario | None) -> str:
    if baseline is None:
        return _paragraphs(["There is no baseline to compare with."])
    rows = scenario.differences(baseline)
    if not rows:
        return _paragraphs(["Nothing: this is the baseline."])
    entries = register()
    table: dict[str, list[Any]] = {
        "what": [entries[what].label if what in entries else what for what, _, _ in rows],
        "name": [what for what, _, _ in rows],
        "here": [here for _, here, _ in rows],
        "baseline": [there for _, _, there in rows],
        "source here": [scenario.sources.get(what, "") for what, _, _ in rows],
        "source of the baseline's": [entries[what].source if what in entries else "" for what, _, _ in rows],
    }
    return _table(table, "Everything else has the baseline's value.")


def _again(ensemble: Ensemble, run: str) -> str:
    """The scenario itself, and the commands that give the same numbers."""
    code = passport_of(ensemble)
    checked = f"python -m sim passport {code} --check" if code else "not to be had: some runs did not finish"
    return (
        f"{_run(run)}<p>To check that the same code gives the same runs:</p><pre>{escape(checked)}</pre>"
        f"<p>The scenario as a file:</p><pre>{escape(ensemble.scenario.toml())}</pre>"
    )


def _run(words: str) -> str:
    return f'<p class="run">{escape(words)}</p>'


def _paragraphs(lines: Sequence[str]) -> str:
    return "\n".join(f"<p>{escape(line)}</p>" for line in lines)


def _items(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _table(columns: Mapping[str, Sequence[Any]], caption: str) -> str:
    """A table; numbers have thousands apart, text is text."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{escape(_told(value))}</td>" for value in row) + "</tr>"
        for row in zip(*columns.values(), strict=True)
    )
    inner = f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody>"
    return f'<div class="wide"><table>{inner}</table></div>'


def _told(value: Any) -> str:
    return whole(value) if isinstance(value, float) else str(value)


PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:">
<title>{title}</title>
<style>
body {{ font-family: sans-serif; line-height: 1.45; color: #222; background: #fff; }}
body {{ max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
figure {{ margin: 1rem 0; }}
figcaption, caption {{ text-align: left; color: #444; padding: .3rem 0; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ text-align: left; padding: .2rem .7rem .2rem 0; border-bottom: 1px solid #ddd; vertical-align: top; }}
.wide {{ overflow-x: auto; }}
.answer {{ font-size: 1.2rem; font-weight: bold; }}
.run, footer {{ font-family: monospace; font-size: .85rem; color: #555; overflow-wrap: anywhere; }}
pre {{ background: #f4f4f4; padding: .7rem; overflow-x: auto; }}
@media print {{ section {{ break-inside: avoid-page; }} pre {{ white-space: pre-wrap; }} }}
</style></head><body>
<header><h1>{title}</h1><p>{question}</p></header>
<main>
{body}
</main>
<footer><p>{foot}</p></footer>
</body></html>
"""
