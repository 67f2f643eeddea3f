"""The Condition element of a policy, evaluated.

Source: IAM user guide, "IAM JSON policy elements: Condition operators" and "Conditions with
multiple context keys or values". Condition keys are compared without case.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sandbox.errors import AwsError

Context = Mapping[str, Sequence[str]]
Compare = Callable[[str, str], bool]


@dataclass
class Verdict:
    """Whether conditions hold, and the keys they asked for that the request did not have."""

    holds: bool = True
    missing: list[str] = field(default_factory=list)


def evaluate(conditions: Mapping[str, Any], context: Context) -> Verdict:
    """All operators and all keys must hold. `context` has lower-case keys.

    Raises AwsError MalformedPolicyDocument for an operator that IAM does not have.
    """
    verdict = Verdict()
    for operator, wanted in conditions.items():
        for key, values in wanted.items():
            has = context.get(key.lower())
            if has is None:
                verdict.missing.append(key)
            texts = [text_of(v) for v in (values if isinstance(values, list) else [values])]
            verdict.holds &= _holds(operator, texts, has)
    return verdict


def text_of(value: Any) -> str:
    """A value of a condition as IAM compares it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _holds(operator: str, wanted: Sequence[str], has: Sequence[str] | None) -> bool:
    quantifier, _, name = operator.rpartition(":")
    if name == "Null":
        return any((has is None) == (value == "true") for value in wanted)
    optional = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    compare, negated = _operator(name)
    if has is None:
        # ForAllValues is true of nothing, ForAnyValue is not; alone, a negated operator is true.
        if optional or quantifier == "ForAllValues":
            return True
        return negated and quantifier != "ForAnyValue"
    found = [any(compare(value, want) for want in wanted) != negated for value in has]
    if quantifier == "ForAllValues":
        return all(found)
    return any(found) if quantifier == "ForAnyValue" or not negated else all(found)


def _operator(name: str) -> tuple[Compare, bool]:
    """How to compare, and whether the result is turned round."""
    if name in _COMPARE:
        return _COMPARE[name], False
    positive = name.replace("Not", "", 1)
    if "Not" in name and positive in _COMPARE:
        return _COMPARE[positive], True
    raise AwsError("MalformedPolicyDocument", f"Invalid Condition type : {name}.")


@lru_cache(maxsize=512)
def _pattern(text: str, *, ignore_case: bool) -> re.Pattern[str]:
    """`*` is any text and `?` one character; `${*}`, `${?}` and `${$}` are themselves.

    What stands between two stars is taken at its first place and never tried again (an atomic
    group): a later place could not help what follows, and many stars would take for ever.
    """
    literal = {"${*}": r"\*", "${?}": r"\?", "${$}": r"\$", "?": "."}
    pieces: list[list[str]] = [[]]
    for part in re.split(r"(\$\{[*?$]\}|\*|\?)", text):
        if part == "*":
            pieces.append([])
        else:
            pieces[-1].append(literal.get(part, re.escape(part)))
    first, *others = ("".join(piece) for piece in pieces)
    between = "".join(f"(?>.*?{piece})" for piece in others[:-1])
    pattern = first + between + "".join(f".*{piece}" for piece in others[-1:])
    return re.compile(pattern, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def like(value: str, pattern: str, *, ignore_case: bool = False) -> bool:
    """Whether a value fits a pattern with wildcards, from end to end."""
    return _pattern(pattern, ignore_case=ignore_case).fullmatch(value) is not None


def _arn_like(value: str, pattern: str) -> bool:
    """Wildcards never span the colons between an ARN's six parts."""
    has, wants = value.split(":", 5), pattern.split(":", 5)
    return len(has) == len(wants) and all(map(like, has, wants))


def _number(compare: Callable[[float, float], bool]) -> Compare:
    def compared(value: str, wanted: str) -> bool:
        try:
            return compare(float(value), float(wanted))
        except ValueError:
            return False

    return compared


def _date(compare: Callable[[float, float], bool]) -> Compare:
    def compared(value: str, wanted: str) -> bool:
        try:
            return compare(_seconds(value), _seconds(wanted))
        except ValueError:
            return False

    return compared


def _seconds(text: str) -> float:
    """A moment as ISO 8601 or as seconds since 1970."""
    if text.replace(".", "", 1).isdecimal():
        return float(text)
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _address(value: str, wanted: str) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


def _binary(value: str, wanted: str) -> bool:
    try:
        return base64.b64decode(value) == base64.b64decode(wanted)
    except ValueError:
        return False


_ORDER: Mapping[str, Callable[[float, float], bool]] = {
    "Equals": lambda a, b: a == b,
    "LessThan": lambda a, b: a < b,
    "LessThanEquals": lambda a, b: a <= b,
    "GreaterThan": lambda a, b: a > b,
    "GreaterThanEquals": lambda a, b: a >= b,
}
_COMPARE: Mapping[str, Compare] = {
    "StringEquals": lambda value, wanted: value == wanted,
    "StringEqualsIgnoreCase": lambda value, wanted: value.lower() == wanted.lower(),
    "StringLike": like,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
    "BinaryEquals": _binary,
    "IpAddress": _address,
    **{f"Numeric{name}": _number(compare) for name, compare in _ORDER.items()},
    **{f"Date{name}": _date(compare) for name, compare in _ORDER.items()},
}
