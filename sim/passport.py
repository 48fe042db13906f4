"""Run passports: a short code from which a result can be rebuilt, run again and checked.

A code cannot hold a whole scenario and be short, so it names a recorded scenario of its version of the model
(`seeds/versions.json`) and what differs from that one; anything can be written so, and what is close to a scenario file is short.
The words of a scenario (title, question, name, sources) are not in it: they change no number.

    FORMAT          1 byte
    version         major, minor, patch
    seed            and then draws (0: each replication has its own; 1: none, the defaults; n + 1: n draws), replications
    digest          the first 4 bytes of the ensemble's digest
    scenario        the first 2 bytes of the digest of the scenario that it begins from
    difference      raw deflate of JSON, with the version's parameter names as the dictionary; nothing if there is none
    check           CRC-16 of all before

Whole numbers are varints (LEB128). The bytes are written in Crockford's base32: no I, L, O or U, in groups of five; case,
hyphens and spaces do not matter. The check finds every single letter that was mistyped and every two that were swapped.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from typing import Any

from sim.bands import Bands
from sim.ensemble import pairs_of, run_ensemble
from sim.parameters import InputError, model_version, register, shorten
from sim.results import Ensemble, Pair, Pairs
from sim.scenario import Scenario
from sim.sharing import MOST_BYTES, MOST_SEED, parsed_json, revived, versions

FORMAT = 1
GROUP = 5
# A code may be long if a scenario is like no other, but not without end.
MOST_CHARACTERS = 20_000
DIGEST_BYTES, SCENARIO_BYTES, CHECK_BYTES = 4, 2, 2
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_STANDARD = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
WHERE = "the passport"
# What a difference says besides parameters; part of the format, so never changed.
_WORDS = (
    '"clarification""court_order""disaster""funding_lapse""turnover""appeal""incident""accept""decline""no_answer""withdraw"'
    ',"other_side":,"same_side":,"ambiguity":,"roles":["troops":,"answer":,"state":,"states":["size":,"kind":,"day":'
    ',"answers":[{,"changes":[{,"shocks":[{,"start":"20,"days":'
)


@dataclass(frozen=True)
class Passport:
    """What a code says.

    code
        The code in its one form: capitals in groups of five.
    model
        The version that made the result.
    draws, replications
        The plan of the runs, as `ensemble.pairs_of` takes it.
    digest
        The first 8 letters of the ensemble's digest.
    notes
        What has moved since that version, line by line; empty for this one.
    """

    code: str
    scenario: Scenario
    seed: int
    draws: int | None
    replications: int
    digest: str
    model: str
    notes: tuple[str, ...] = ()


def passport_of(ensemble: Ensemble | Bands) -> str | None:
    """The code of a result, or None while runs are missing, since then its digest stands for nothing yet."""
    if ensemble.n_finished < len(ensemble.pairs):
        return None
    draws, replications = plan_of(ensemble.pairs)
    whole = bytes([FORMAT])
    whole += b"".join(_varint(int(part)) for part in model_version().split("."))
    whole += b"".join(_varint(n) for n in (ensemble.seed, 0 if draws is None else draws + 1, replications))
    whole += bytes.fromhex(ensemble.digest)[:DIGEST_BYTES] + _difference(ensemble.scenario)
    return _grouped(_written(whole + _check(whole)))


def plan_of(pairs: Sequence[Pair]) -> tuple[int | None, int]:
    """The (draws, replications) of which `ensemble.pairs_of` makes these runs."""
    if isinstance(pairs, Pairs):
        return pairs.draws, pairs.replications
    n_draws = len({draw for draw, _ in pairs} - {None})
    for plan in ((None, len(pairs)), (n_draws, len(pairs) // max(1, n_draws))):
        if pairs_of(*plan) == pairs:
            return plan
    raise InputError("a passport needs all runs of a plan of draws and replications; these are some of them")


def read_passport(code: str) -> Passport:
    """What a code says.

    Raises
    ------
    InputError
        If it is mistyped (with the code that may have been meant), cut off, or of a version that this copy does not know.
    """
    whole = _checked_bytes(code)
    if whole[0] != FORMAT:
        raise InputError(f"{WHERE} is of format {whole[0]}; this version reads format {FORMAT}")
    try:
        numbers, rest = [], whole[1:]
        for _ in range(6):
            number, rest = _read_varint(rest)
            numbers.append(number)
        digest, base = rest[:DIGEST_BYTES], rest[DIGEST_BYTES:][:SCENARIO_BYTES]
        packed = rest[DIGEST_BYTES + SCENARIO_BYTES :]
    except IndexError:
        raise InputError(f"{WHERE} is cut off") from None
    model = ".".join(map(str, numbers[:3]))
    seed, draws, replications = numbers[3:]
    if seed > MOST_SEED or len(base) < SCENARIO_BYTES:
        raise InputError(f"{WHERE} says nothing that could be run")
    plan = (None if draws == 0 else draws - 1, replications)
    pairs_of(*plan)
    scenario, notes = _scenario(model, base, packed)
    return Passport(_grouped(_written(whole + _check(whole))), scenario, seed, *plan, digest.hex(), model, notes)


def rerun(passport: Passport, **options: Any) -> Ensemble:
    """The runs of a passport again; options are those of `ensemble.run_ensemble`."""
    return run_ensemble(passport.scenario, passport.seed, passport.draws, passport.replications, **options)


def verdict(passport: Passport, again: Ensemble) -> tuple[bool, str]:
    """Whether a result that was run again is the same, and a sentence that says so or why it may not be."""
    found = again.digest[: 2 * DIGEST_BYTES]
    if found == passport.digest:
        return True, f"The same: all {len(again.pairs):,} runs give digest {found}."
    if again.errors:
        why = f"{len(again.errors)} runs failed here"
    elif passport.model != model_version():
        why = f"the code was made with model {passport.model} and this is {model_version()}"
    else:
        why = "the version is the same, so a rule or a default was changed here, or it was another kind of machine"
    return False, f"Differs: the code says digest {passport.digest}, the runs give {found}; {why}."


# --- The scenario


def _scenario(model: str, base: bytes, packed: bytes) -> tuple[Scenario, tuple[str, ...]]:
    """The scenario that a version's code describes, and what has moved since."""
    if model not in versions():
        known = ", ".join(versions())
        raise InputError(f"{WHERE} was made with model {model}, which this copy does not know (it knows {known})")
    beginnings = _beginnings(model)
    if base not in beginnings:
        raise InputError(f"{WHERE} begins from a scenario that model {model} did not have when this copy was made")
    name, recorded = beginnings[base]
    document, flat = versions()[model].scenarios[name], dict(recorded)
    for key, value in _unpacked(model, packed).items():
        if key not in _ROWS and key not in register() and key not in versions()[model].defaults:
            raise InputError(f"{WHERE}: {shorten(key)} is not a parameter")
        if value is None:
            flat.pop(key, None)
        else:
            flat[key] = value
    words = {key: document[key] for key in ("schema", "title", "question")}
    if packed:
        name, words["title"] = f"{name}_changed", f"{words['title']}, changed"
    scenario, _, notes = revived({**words, **_nested(flat)}, name, model, WHERE)
    return scenario, notes


@cache
def _beginnings(model: str) -> dict[bytes, tuple[str, dict[str, Any]]]:
    """The recorded scenarios of a version, name and flat document, by the first bytes of a hash of what they say."""
    flat = {name: _flat(document) for name, document in versions()[model].scenarios.items()}
    return {
        sha256(json.dumps(said, sort_keys=True).encode()).digest()[:SCENARIO_BYTES]: (name, said)
        for name, said in flat.items()
    }


def _difference(scenario: Scenario) -> bytes:
    """Where a scenario begins from and what differs: the recorded scenario from which that is told in the fewest letters."""
    here = _flat(scenario.document())
    told = [(base, _text_of(_differing(here, there))) for base, (_, there) in _beginnings(model_version()).items()]
    base, text = min(told, key=lambda pair: len(pair[1]))
    return base + _packed(model_version(), text)


_ROWS = ("start", "days", "changes", "shocks", "answers")
_NO_LEVERS = ("assumptions", "sources")


def _flat(document: dict[str, Any]) -> dict[str, Any]:
    """A scenario's document without words, all parameters by their dotted names; a value with a range as [value, low, high]."""
    document = json.loads(json.dumps(document, default=date.isoformat))
    flat = {key: document[key] for key in _ROWS if key in document}
    for name, value in document.get("assumptions", {}).items():
        flat[name] = [value["value"], value["low"], value["high"]] if isinstance(value, dict) else value
    tables = [
        ("", {key: table for key, table in document.items() if isinstance(table, dict) and key not in _NO_LEVERS})
    ]
    while tables:
        prefix, table = tables.pop(0)
        for key, value in table.items():
            if isinstance(value, dict):
                tables.append((f"{prefix}{key}.", value))
            else:
                flat[prefix + key] = value
    return flat


def _nested(flat: dict[str, Any]) -> dict[str, Any]:
    """The document again: what is no lever, or gone, is an assumption."""
    document: dict[str, Any] = {}
    for name, value in flat.items():
        if name in _ROWS:
            document[name] = value
        elif name in register() and register()[name].kind == "lever":
            *tables, last = name.split(".")
            branch = document
            for table in tables:
                branch = branch.setdefault(table, {})
            branch[last] = value
        else:
            is_ranged = isinstance(value, list) and len(value) == 3
            ranged = dict(zip(("value", "low", "high"), value, strict=True)) if is_ranged else value
            document.setdefault("assumptions", {})[name] = ranged
    return document


def _differing(here: dict[str, Any], there: dict[str, Any]) -> dict[str, Any]:
    """What has to be put over `there` to give `here`; None takes a key away."""
    # As text, since 1, 1.0 and true are equal and yet different in a file.
    changed = {key: value for key, value in here.items() if json.dumps(value) != json.dumps(there.get(key))}
    return changed | {key: None for key in there if key not in here}


@cache
def _dictionary(model: str) -> bytes:
    """What deflate may refer back to: likeliest last, where it costs least."""
    names = "".join(f',"{name}":' for name in reversed(versions()[model].defaults))
    return (names + _WORDS).encode()


def _text_of(difference: dict[str, Any]) -> str:
    """A difference as JSON without its braces; every key begins with a comma, as the dictionary has it."""
    return "," + json.dumps(difference, separators=(",", ":"), sort_keys=True)[1:-1] if difference else ""


def _packed(model: str, text: str) -> bytes:
    if not text:
        return b""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=_dictionary(model))
    return deflater.compress(text.encode()) + deflater.flush()


def _unpacked(model: str, packed: bytes) -> dict[str, Any]:
    if not packed:
        return {}
    try:
        inflater = zlib.decompressobj(-15, zdict=_dictionary(model))
        text = inflater.decompress(packed, MOST_BYTES + 1).decode("ascii")
    except (zlib.error, UnicodeDecodeError):
        raise InputError(f"{WHERE} cannot be unpacked: it was made by another state of model {model}") from None
    if len(text) > MOST_BYTES or not inflater.eof or inflater.unused_data:
        raise InputError(f"{WHERE} is cut off, or unpacks to more than {MOST_BYTES:,} bytes")
    if "\\" in text:
        raise InputError(f"{WHERE} holds a backslash, which no difference between scenarios needs")
    found = parsed_json("{" + text[1:] + "}", WHERE)
    if not isinstance(found, dict) or not found:
        raise InputError(f"{WHERE} holds no difference between scenarios")
    return found


# --- Letters


def _varint(number: int) -> bytes:
    """A whole number from 0 up, seven bits a byte, the lowest first; the top bit says that more follow."""
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def _read_varint(data: bytes) -> tuple[int, bytes]:
    """A whole number and what comes after it; IndexError if it has no end."""
    number = 0
    for k in range(10):
        number |= (data[k] & 127) << (7 * k)
        if data[k] < 128:
            return number, data[k + 1 :]
    raise IndexError


def _check(data: bytes) -> bytes:
    return binascii.crc_hqx(data, 0xFFFF).to_bytes(CHECK_BYTES, "big")


def _written(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=").translate(str.maketrans(_STANDARD, CROCKFORD))


def _bytes_of(letters: str) -> bytes | None:
    """The bytes of a code without its check, or None if that does not hold."""
    standard = letters.translate(str.maketrans(CROCKFORD, _STANDARD))
    try:
        data = base64.b32decode(standard + "=" * (-len(standard) % 8))
    except binascii.Error:
        return None
    whole, check = data[:-CHECK_BYTES], data[-CHECK_BYTES:]
    is_right = bool(whole) and check == _check(whole) and _written(data) == letters
    return whole if is_right else None


def _checked_bytes(code: str) -> bytes:
    """The bytes of a code as somebody typed it."""
    if len(code) > MOST_CHARACTERS:
        raise InputError(f"{WHERE} has {len(code):,} characters; at most {MOST_CHARACTERS:,} are read")
    letters = "".join(code.split()).replace("-", "").upper().translate(str.maketrans("ILO", "110"))
    strange = sorted(set(letters) - set(CROCKFORD))
    if strange or not letters:
        told = f"it cannot hold {shorten(strange[0])}" if strange else "it is empty"
        raise InputError(
            f"{WHERE} {shorten(code)} is mistyped: {told}; it is made of digits and letters without I, L, O, U"
        )
    whole = _bytes_of(letters)
    if whole is not None:
        return whole
    meant = [near for near in _near(letters) if _bytes_of(near) is not None]
    hint = f"; did you mean {_grouped(meant[0])}?" if len(meant) == 1 else "; letters are missing or were mistyped"
    raise InputError(f"{WHERE} {shorten(code)} is not a code: its check does not hold{hint}")


def _grouped(letters: str) -> str:
    return "-".join(letters[at : at + GROUP] for at in range(0, len(letters), GROUP))


def _near(letters: str) -> Iterator[str]:
    """Codes with one other letter, or two neighbours swapped; none for codes too long to be typed."""
    if len(letters) > 200:
        return
    for k, was in enumerate(letters):
        yield from (letters[:k] + other + letters[k + 1 :] for other in CROCKFORD if other != was)
        if letters[k : k + 1] != letters[k + 1 : k + 2] and k + 1 < len(letters):
            yield letters[:k] + letters[k + 1] + was + letters[k + 2 :]
