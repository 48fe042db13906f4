"""The register: every number of the model with its range, unit, source, and what it is (lever, uncertainty, constant).

`seeds/parameters.toml` is the only place where a number stands. From one entry come the check of a scenario's value,
its JSON Schema, the draw of an uncertainty, and the words of a slider. This module knows nothing of states or days.
"""

import math
import tomllib
from collections import namedtuple
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from sim import luck

SEEDS = Path(__file__).resolve().parent.parent / "seeds"
ROLES = ("administration", "support", "transport", "detention", "enforcement")
NEVER = "never"

# Plain numbers, a word, a switch, or a list of postal codes: what a parameter can be set to.
Value = float | int | bool | str | list[str]


class InputError(ValueError):
    """Something wrong in a file or on the command line, told in one paragraph."""


def near_miss(word: str, words: Iterable[str]) -> str:
    """A hint that names the closest of the allowed words, or nothing."""
    close = get_close_matches(word, list(words), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


@dataclass(frozen=True)
class Component:
    """One normal distribution of a mixture: weight (share), mean and sd (unit of the parameter), label."""

    weight: float
    mean: float
    sd: float
    label: str


@dataclass(frozen=True)
class Parameter:
    """One entry of the register; the keys are explained at the head of seeds/parameters.toml."""

    name: str
    value: Value
    unit: str
    label: str
    help: str
    kind: str
    source: str
    known: str
    url: str = ""
    note: str = ""
    range: tuple[float, float] | None = None
    limits: tuple[float, float] | None = None
    whole: bool = False
    choices: tuple[str, ...] = ()
    or_states: bool = False
    or_never: bool = False
    scale: str = "linear"
    mixture: tuple[Component, ...] = ()
    early: Value | None = None
    later: Value | None = None

    @property
    def field(self) -> str:
        """The name as a Python identifier, as in `Numbers`."""
        return self.name.replace(".", "_")

    @property
    def allowed(self) -> str:
        """What the parameter may be set to, in words."""
        if isinstance(self.value, bool):
            return "true or false"
        words = [repr(choice) for choice in self.choices]
        if self.limits:
            kind = "a whole number" if self.whole else "a number"
            words.append(f"{kind} in {self.limits[0]:g}..{self.limits[1]:g}" + (f" ({self.unit})" if self.unit else ""))
        if self.or_never:
            words.append("'never'")
        if self.or_states:
            words.append("a list of postal codes")
        return " or ".join(words)

    def check(self, value: Any) -> Value:
        """The value if the parameter may take it; raises InputError with what is allowed otherwise."""
        if self._accepts(value):
            return value
        hint = near_miss(value, self.choices) if isinstance(value, str) else ""
        raise InputError(f"{self.name} = {shorten(value)} is not allowed: it takes {self.allowed}{hint}")

    def _accepts(self, value: Any) -> bool:
        if isinstance(self.value, bool) or isinstance(value, bool):
            return isinstance(self.value, bool) and isinstance(value, bool)
        if isinstance(value, str):
            return value in self.choices or (self.or_never and value == NEVER)
        if isinstance(value, list):
            return self.or_states and bool(value) and all(isinstance(code, str) for code in value)
        if not isinstance(value, int | float) or self.limits is None:
            return False
        if self.whole and not isinstance(value, int):
            return False
        return self.limits[0] <= value <= self.limits[1]

    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema of the values that `check` accepts."""
        parts: list[dict[str, Any]] = []
        if isinstance(self.value, bool):
            parts.append({"type": "boolean"})
        words = [*self.choices, *([NEVER] if self.or_never else [])]
        if words:
            parts.append({"enum": words})
        if self.limits:
            kind = "integer" if self.whole else "number"
            parts.append({"type": kind, "minimum": self.limits[0], "maximum": self.limits[1]})
        if self.or_states:
            parts.append({"type": "array", "items": {"type": "string"}, "minItems": 1})
        schema = parts[0] if len(parts) == 1 else {"anyOf": parts}
        about = f"{self.help} Source: {self.source}."
        return schema | {"title": self.label, "description": about, "default": self.value}

    def number(self, value: Value) -> float:
        """The value as a plain number for the rules: a choice by its position, a switch as 0 or 1, never as -1."""
        if isinstance(value, str):
            return -1.0 if value == NEVER else float(self.choices.index(value))
        if isinstance(value, list):
            return -1.0
        return float(value)

    def draw(self, uniforms: Sequence[float], mode: Value, ends: tuple[float, float] | None = None) -> float:
        """One value for one draw: triangular (low, mode, high), or from the mixture.

        Parameters
        ----------
        uniforms
            Four numbers between 0 and 1 that belong to this parameter and draw.
        ends
            (low, high) that replace the register's range, and its mixture.
        """
        if self.mixture and ends is None:
            k = component(uniforms[0], [part.weight for part in self.mixture])
            return self.mixture[k].mean + self.mixture[k].sd * luck.normals(uniforms[1], uniforms[2])[0]
        low, high = ends or self.range  # type: ignore[misc]
        shape = triangular_on_log_scale if self.scale == "log" else triangular
        drawn = shape(uniforms[0], low, mode, high)  # type: ignore[arg-type]
        return float(round(drawn)) if self.whole else drawn


def component(u: float, weights: Sequence[float]) -> int:
    """Which part of a mixture a uniform number falls into."""
    total = 0.0
    for weight in weights:
        total += weight
    left = u * total
    for k in range(len(weights) - 1):
        left -= weights[k]
        if left < 0.0:
            return k
    return len(weights) - 1


def triangular(u: float, low: float, mode: float, high: float) -> float:
    """The value below which a share u of a triangular distribution lies."""
    if high <= low:
        return mode
    turn = (mode - low) / (high - low)
    if u < turn:
        return low + math.sqrt(u * (high - low) * (mode - low))
    return high - math.sqrt((1.0 - u) * (high - low) * (high - mode))


def triangular_on_log_scale(u: float, low: float, mode: float, high: float) -> float:
    """The same for a number whose logarithm is triangular; all must be above 0."""
    if high <= low:
        return mode
    return math.exp(triangular(u, math.log(low), math.log(mode), math.log(high)))


def shorten(value: Any, most: int = 60) -> str:
    """A value as it stands in an error, never longer than a line."""
    if isinstance(value, int) and value.bit_length() > 200:
        # Python refuses to write out very long numbers.
        return f"a number of about {round(value.bit_length() * math.log10(2.0)):,} digits"
    text = repr(value)
    return text if len(text) <= most else text[: most - 1] + "…"


def _entry(name: str, table: Mapping[str, Any]) -> Parameter:
    """A register entry from its TOML table."""
    fields = dict(table)
    for key in ("range", "limits", "choices"):
        if key in fields:
            fields[key] = tuple(fields[key])
    fields["mixture"] = tuple(Component(**part) for part in fields.get("mixture", ()))
    return Parameter(name=name, **fields)


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads((SEEDS / "parameters.toml").read_text(encoding="utf-8"))


@cache
def register() -> dict[str, Parameter]:
    """Every parameter by its dotted name, in the order of the file."""
    return {name: _entry(name, table) for name, table in _file().items() if isinstance(table, dict)}


def model_version() -> str:
    """The version of rules and defaults together; every quoted result names it."""
    return str(_file()["model_version"])


def parameter(name: str) -> Parameter:
    """One entry by name; raises InputError with the near miss."""
    try:
        return register()[name]
    except KeyError:
        hint = near_miss(name, register())
        raise InputError(f"{name!r} is not a parameter{hint} (python -m sim parameters lists them)") from None


def free_parameters(values: Mapping[str, Value], ranges: Mapping[str, tuple[float, float]]) -> list[Parameter]:
    """The uncertainties that a draw draws where a scenario sets these values and ranges."""
    return [
        entry
        for name, entry in register().items()
        if entry.kind == "uncertainty" and (name not in values or name in ranges)
    ]


def resolve(
    values: Mapping[str, Value], ranges: Mapping[str, tuple[float, float]], seed: int, draw: int | None
) -> dict[str, Value]:
    """One value for every parameter.

    Parameters
    ----------
    values
        What a scenario sets: these are never drawn, unless `ranges` names them too.
    ranges
        Ends (low, high) that replace those of the register, around the value set.
    draw
        The number of the draw, or None for the defaults.
    """
    resolved = {name: values.get(name, entry.value) for name, entry in register().items()}
    if draw is None:
        return resolved
    free = [entry.name for entry in free_parameters(values, ranges)]
    for name, uniforms in zip(free, luck.of_parameters(seed, draw, free), strict=True):
        resolved[name] = register()[name].draw(uniforms, resolved[name], ranges.get(name))
    return resolved


if TYPE_CHECKING:

    class Numbers(tuple[float, ...]):
        """The register as plain numbers: one field per parameter, dots as underscores, so that a rule gets `p.tour_days`."""

        _fields: ClassVar[tuple[str, ...]]

        def __new__(cls, *values: float) -> Self:
            """Take one number per parameter, in the order of the register."""
            ...

        def __getattr__(self, name: str) -> float:
            """The number of a parameter."""
            ...

else:
    Numbers = namedtuple("Numbers", [name.replace(".", "_") for name in register()])


def numbers(values: Mapping[str, Value]) -> Numbers:
    """The values of all parameters as plain numbers."""
    return Numbers(*(entry.number(values[name]) for name, entry in register().items()))
