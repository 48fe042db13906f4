"""Rewriting the register: a fit's values, ranges and sources take the place of what stood there; comments and order stay."""

import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

from sim import likelihoods as on
from sim.calibration import Fit, Fitted
from sim.parameters import SEEDS, InputError, register

REGISTER = SEEDS / "parameters.toml"
COMMAND = "python -m sim calibrate"
MISSION = "support.mission"


def source_of(cases: tuple[str, ...], today: date) -> str:
    """The source of a fitted value, as the register tells it."""
    return f"fit to {', '.join(cases)}; {COMMAND}; {today.isoformat()}"


def changes_of(found: Fit, today: date) -> dict[str, dict[str, Any]]:
    """What a fit changes in the register: by parameter, the keys that get another value."""
    changes: dict[str, dict[str, Any]] = {}
    for name, one in found.parameters.items():
        if one.is_carried:
            changes[name] = {"value": _typed(one, one.value), "range": [_typed(one, one.low), _typed(one, one.high)]}
            changes[name]["source"] = source_of(one.cases, today)
    if found.memberships:
        means, sds = ([part[key] for part in on.regimes()] for key in ("mean", "sd"))
        changes[MISSION] = {
            "range": [
                min(m - s for m, s in zip(means, sds, strict=True)),
                max(m + s for m, s in zip(means, sds, strict=True)),
            ],
            "mixture": [
                {"weight": round(weight, 2), "mean": part["mean"], "sd": part["sd"], "label": part["label"]}
                for part, weight in zip(on.regimes(), found.weights, strict=True)
            ],
            "source": source_of(tuple(found.memberships), today),
        }
    return changes


def _typed(one: Fitted, value: float) -> float | int:
    return int(value) if register()[one.name].whole else value


def rewritten(text: str, changes: dict[str, dict[str, Any]], version: str) -> str:
    """The register's text with some keys replaced, line by line; everything else stays as it is.

    Raises
    ------
    InputError
        If a parameter or one of its keys has no line of its own to replace.
    """
    lines = text.splitlines(keepends=True)
    heads = {match[1]: k for k, line in enumerate(lines) if (match := re.fullmatch(r'\["(.+)"\]\n?', line))}
    for name, keys in changes.items():
        if name not in heads:
            raise InputError(f"{REGISTER.name}: {name} is not an entry, so a fit cannot be written to it")
        for key, value in keys.items():
            k = heads[name] + 1
            while k < len(lines) and not lines[k].startswith((f"{key} =", "[")):
                k += 1
            if k == len(lines) or lines[k].startswith("["):
                raise InputError(f"{REGISTER.name}: {name} has no line {key} =, so a fit cannot be written to it")
            lines[k] = f"{key} = {_toml(value)}\n"
    new = re.sub(r'^model_version = ".*"$', f'model_version = "{version}"', "".join(lines), count=1, flags=re.M)
    _check(text, new, changes, version)
    return new


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + "}"
    return repr(value)


def _check(old: str, new: str, changes: dict[str, dict[str, Any]], version: str) -> None:
    """What was written is what was meant, and nothing else."""
    before, after = tomllib.loads(old), tomllib.loads(new)
    for name, keys in changes.items():
        before[name] |= keys
    before["model_version"] = version
    if before != after:
        raise InputError(
            f"{REGISTER.name}: the rewritten register would differ in more than the fit; nothing was written"
        )


def write(found: Fit, version: str, today: date, path: Path = REGISTER) -> dict[str, dict[str, Any]]:
    """Write a fit into the register under a new model version; returns what changed.

    Raises
    ------
    InputError
        If the version is not a new one: every quoted score names it, so two models must not share one.
    """
    text = path.read_text(encoding="utf-8")
    was = str(tomllib.loads(text)["model_version"])
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise InputError(f"--version {version!r} is not three numbers with dots, such as 1.2.0")
    if tuple(map(int, version.split("."))) <= tuple(map(int, was.split("."))):
        raise InputError(f"--version {version!r} must be higher than the register's {was!r}")
    changes = changes_of(found, today)
    if not changes:
        raise InputError("the fit carries no parameter, so there is nothing to write")
    path.write_text(rewritten(text, changes, version), encoding="utf-8")
    return changes
