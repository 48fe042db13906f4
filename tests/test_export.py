"""What people take away: the page opens from disk, asks for nothing and draws everything; tables are safe in a spreadsheet."""

import csv
import io
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import plotly.io
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page
from typer.testing import CliRunner

import sim.__main__  # noqa: F401 - adds the commands
from sim import export, plots
from sim.commands.common import app
from sim.contest import contested
from sim.ensemble import run_ensemble
from sim.export import cell, csv_of, daily_table, html_report, parquet_of, stamp, stamped
from sim.parameters import InputError, register
from sim.passport import passport_of, read_passport
from sim.report import NOT_A_FORECAST, in_words
from sim.results import Ensemble
from sim.scenario_files import load

SCENARIOS = Path(__file__).resolve().parent.parent / "scenarios"
# 54 states are asked with a page that weighs less than a photograph of one.
MOST_BYTES = 5_500_000
HOSTILE = (
    "</title><script>document.title='run'</script><img src='http://127.0.0.1:9/x.png' onerror=\"document.title='run'\">"
)
needs_chromium = pytest.mark.skipif(os.environ.get("SIM_NO_BROWSER") == "1", reason="SIM_NO_BROWSER=1")


@pytest.fixture(scope="module")
def result() -> Ensemble:
    return run_ensemble(load(SCENARIOS / "court_order.toml"), 3, None, 4, engine="simpy", with_twins=False)


@pytest.fixture(scope="module")
def page_text(result: Ensemble) -> str:
    return html_report(result, load(SCENARIOS / "baseline.toml"))


def opened(browser: Browser, path: Path) -> tuple[Page, list[str]]:
    """A file in a new page, and everything that went wrong or was asked for besides the file itself."""
    page, wrong = browser.new_context(offline=True).new_page(), []
    page.on("request", lambda request: wrong.append(request.url) if request.url != path.as_uri() else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.goto(path.as_uri())
    page.wait_for_function("document.querySelectorAll('.js-plotly-plot .main-svg').length >= 4", timeout=60_000)
    return page, wrong


@needs_chromium
def test_the_page_opens_from_disk_asks_for_nothing_and_draws_every_chart(
    browser: Browser, tmp_path: Path, page_text: str, result: Ensemble
) -> None:
    path = tmp_path / "report.html"
    path.write_text(page_text, encoding="utf-8")
    assert path.stat().st_size < MOST_BYTES
    page, wrong = opened(browser, path)
    charts = page.locator(".js-plotly-plot")
    assert charts.count() == 4
    for k in range(4):
        drawn = charts.nth(k).evaluate("e => [...e.querySelectorAll('.scatterlayer path')].filter(p => (p.getAttribute('d') || '').length > 50).length")  # fmt: skip
        assert drawn >= 1
        # Axis titles lie inside the chart, so no margin clips them.
        box, title = charts.nth(k).bounding_box(), charts.nth(k).locator(".xtitle").bounding_box()
        assert box is not None
        assert title is not None
        assert title["y"] + title["height"] <= box["y"] + box["height"]
        assert passport_of(result) in charts.nth(k).inner_text()  # type: ignore[operator]
    assert page.locator("h2").first.inner_text() == "Read this first"
    assert page.locator("details table").count() == 4
    assert wrong == []
    page.context.close()


@needs_chromium
def test_markup_in_a_scenario_stays_text_and_its_pictures_are_not_fetched(
    browser: Browser, tmp_path: Path, result: Ensemble
) -> None:
    scenario = replace(result.scenario, title=HOSTILE, question=HOSTILE, name="=1+1")
    path = tmp_path / "hostile.html"
    path.write_text(html_report(replace(result, scenario=scenario), result.scenario), encoding="utf-8")
    page, wrong = opened(browser, path)
    assert page.title() == HOSTILE
    assert HOSTILE in page.locator("h1").inner_text()
    assert page.locator("img").count() == 0
    assert wrong == []
    page.context.close()


@needs_chromium
def test_even_markup_that_got_in_could_ask_for_nothing(browser: Browser, tmp_path: Path, page_text: str) -> None:
    path = tmp_path / "tampered.html"
    smuggled = "<main><img src='http://127.0.0.1:9/x.png'><script>fetch('http://127.0.0.1:9/y')</script>"
    path.write_text(page_text.replace("<main>", smuggled), encoding="utf-8")
    page, wrong = opened(browser, path)
    for asked in ("127.0.0.1:9/x.png", "127.0.0.1:9/y"):
        assert any(asked in line and "Content Security Policy" in line for line in wrong), wrong
    page.context.close()


def test_the_page_says_first_what_it_is_not_and_names_the_run_of_every_number(page_text: str, result: Ensemble) -> None:
    code = passport_of(result)
    assert code is not None
    read_passport(code)
    assert page_text.index(NOT_A_FORECAST) < page_text.index("The answer")
    assert page_text.count(f"Passport {code}") >= 4 + 4 + 2
    for caption in re.findall(r"<caption>(.*?)</caption>", page_text):
        assert code in caption or "baseline" in caption
    assert f"python -m sim passport {code} --check" in page_text
    assumed = sum(entry.source == "assumption" for entry in register().values())
    assert f"Of the {len(register())} values behind it, {assumed} are assumptions" in page_text
    assert in_words(result) in page_text
    assert "commanded by the governor" in page_text
    assert "request.roles.enforcement" in page_text


def test_plotly_stands_in_the_page_once_and_colours_do_not_come_from_a_default(
    result: Ensemble, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What importing Streamlit does: a default template of placeholder colours.
    monkeypatch.setattr(plotly.io.templates, "default", "plotly_dark")
    text = html_report(result, None)
    assert text.count("plotly.js v") == 1
    assert "rgb(17,17,17)" not in text
    assert text.count('"paper_bgcolor":"#ffffff"') == 4
    assert "There is no baseline to compare with." in text


def test_the_baseline_differs_in_nothing_and_failed_runs_are_told(result: Ensemble) -> None:
    assert "Nothing: this is the baseline." in html_report(result, result.scenario)
    part = replace(result, done=np.array([True, True, True, False]), errors={3: "ValueError: x"})
    text = html_report(part, None)
    assert "1 of 4 runs did not finish and are left out." in text
    assert "3 of 4 runs, digest" in text
    assert "Passport" not in text
    with pytest.raises(InputError, match="no run has finished"):
        html_report(replace(result, done=np.zeros(4, np.bool_)), None)


def test_the_citation_of_a_contested_value_stands_beside_it(result: Ensemble) -> None:
    doubted = contested(result.scenario, "tour.days", 60, "Doe (2026), <i>Tours</i>")
    text = html_report(replace(result, scenario=doubted), result.scenario)
    assert "<td>tour.days</td><td>60</td><td>90</td><td>Doe (2026), &lt;i&gt;Tours&lt;/i&gt;</td>" in text


def test_a_stamped_chart_is_a_copy(result: Ensemble) -> None:
    figure = plots.pipeline(result)
    before = figure.to_json()
    copy = stamped(figure, "Passport <b>X</b>")
    assert figure.to_json() == before
    assert copy.layout.annotations[0].text == "Passport &lt;b&gt;X&lt;/b&gt;"
    assert copy.layout.margin.b >= 100


def test_the_command_writes_a_new_file_and_never_over_another(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "report.html"
    words = ["report", str(SCENARIOS / "baseline.toml"), "--out", str(out), "--replications", "2", "--days", "20"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    code = done.stdout.splitlines()[-1].removeprefix("Passport ")
    assert read_passport(code).scenario.days == 20
    assert code in out.read_text(encoding="utf-8")
    again = CliRunner().invoke(app, words)
    assert (again.exit_code, "stands there" in again.output) == (2, True)


# --- Tables


@pytest.mark.parametrize("text", ["=1+1", "+A1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", "＝1+1"])
def test_text_that_a_spreadsheet_would_run_is_told_as_text(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["Texas", "", "a=b", "-3.5", "+1e6", -3, 2.5, None, True, "day 0"])
def test_numbers_and_plain_words_stay_as_they_are(value: object) -> None:
    assert cell(value) == value


@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_any_texts_come_back_from_csv_and_none_begins_a_formula(texts: list[str]) -> None:
    rows = list(csv.reader(io.StringIO(csv_of({"=name": texts, "n": list(range(len(texts)))}), newline="")))
    assert rows[0] == ["'=name", "n"]
    kept = [row[0] for row in rows[1:]]
    assert [text.lstrip("'") for text in kept] == [text.lstrip("'") for text in texts]
    for text in kept:
        assert not text or text[0] not in "=+-@\t\r\n" or re.fullmatch(r"[-+\s\d._eEinfatyINFATY]+", text)


def test_tables_by_day_are_the_quantiles_of_the_runs(result: Ensemble, tmp_path: Path) -> None:
    table = daily_table(result, ["in_place", "agreeing"])
    assert list(table)[:3] == ["day", "date", "in_place 5 %"]
    assert table["date"][31] == "2025-06-15"
    assert table["agreeing median"][180] == pytest.approx(np.median(result.daily("agreeing")[:, 180]), abs=0.01)
    assert list(daily_table(result, ["in_place"], [0, 30]))[2:] == ["5 %", "25 %", "median", "75 %", "95 %"]
    means = export.mean_table(result, ["with_limits", "declined"], [0, 180])
    assert means["declined"][1] == pytest.approx(result.daily("declined")[:, 180].mean(), abs=0.01)
    path = tmp_path / "table.parquet"
    path.write_bytes(parquet_of(table, passport_of(result)))
    read = pq.read_table(path)
    assert read.to_pydict() == table
    assert read.schema.metadata[b"passport"].decode() == passport_of(result)
    assert stamp(result) == f"Passport {passport_of(result)}"
