"""Words on a page: text of visitors as text, numbers as they are read, choices in words."""

import re
from datetime import timedelta
from typing import Any

from sim.outcomes import Band
from sim.report import said
from sim.results import Ensemble
from sim.summary import Summary
from sim.world import legal_table


def plain(text: str) -> str:
    """Text as it is: nothing in it is Markdown, a link or a picture."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|<>~$:&])", r"\\\1", text)


def ends(found: Band) -> str:
    """The 5 % and the 95 % quantile."""
    return f"{said(found.p05)} to {said(found.p95)}"


def word(value: Any) -> str:
    """A value of the register in words."""
    title = legal_table()["statuses"].get(value, {}).get("title") if isinstance(value, str) else None
    if title:
        return str(title)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.10g}"
    return ", ".join(value) if isinstance(value, list) else str(value).replace("_", " ")


def date(of: Ensemble | Summary, day: int) -> str:
    """The date of a day, as it is read."""
    return f"{of.scenario.start + timedelta(days=day):%d %b %Y}"


def signed(value: float | None) -> str:
    """A difference as it is read, with its sign; "never" where it never happened."""
    if value is None:
        return "never"
    is_whole = abs(value) >= 20 or float(value).is_integer()
    return "0" if value == 0 else f"{value:+,.0f}" if is_whole else f"{value:+.2f}"
