"""Texts that the app shows of itself and of the news text behind it: `seeds/about.toml` and `seeds/claims.toml`."""

import tomllib
from functools import cache
from typing import Any

from sim.parameters import SEEDS

# Words a minute of somebody who reads attentively (Brysbaert 2019 finds 238 for silent reading of English prose).
PACE = 238


@cache
def about() -> dict[str, Any]:
    """`question`, and lists of tables: `silent`, `limits`, `arguments`, `timeline`, `words`."""
    return tomllib.loads((SEEDS / "about.toml").read_text(encoding="utf-8"))


@cache
def claims() -> dict[str, dict[str, Any]]:
    """What the news text says, claim by claim, by id (T1 to T23), with the parameters that carry it."""
    table = tomllib.loads((SEEDS / "claims.toml").read_text(encoding="utf-8"))
    return {row["id"]: row for row in table["claims"]}


@cache
def source() -> dict[str, str]:
    """The news text itself: `title`, `date`, `note`."""
    found: dict[str, str] = tomllib.loads((SEEDS / "claims.toml").read_text(encoding="utf-8"))["source"]
    return found


def minutes(*texts: str) -> int:
    """How long some texts take to read, in whole minutes and at least one."""
    n_words = sum(len(text.split()) for text in texts)
    return max(1, round(n_words / PACE))
