"""Cost Explorer's filter expressions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.costexplorer.lines import DIMENSIONS, Line
from sandbox.errors import AwsError

Test = Callable[[Line], bool]
Matches = Callable[[str], bool]

# What GetCostAndUsage takes; operations that look for values take all.
PLAIN = frozenset({"EQUALS", "CASE_SENSITIVE", "ABSENT"})
ALL_OPTIONS = PLAIN | {"STARTS_WITH", "ENDS_WITH", "CONTAINS", "CASE_INSENSITIVE"}
_COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "EQUALS": str.__eq__,
    "STARTS_WITH": str.startswith,
    "ENDS_WITH": str.endswith,
    "CONTAINS": str.__contains__,
}
# Cost Explorer knows them, but not as filters of costs.
_NOT_ALLOWED = (
    "AGREEMENT_END_DATE_TIME_AFTER",
    "AGREEMENT_END_DATE_TIME_BEFORE",
    "ANOMALY_TOTAL_IMPACT_ABSOLUTE",
    "ANOMALY_TOTAL_IMPACT_PERCENTAGE",
    "LINKED_ACCOUNT_NAME",
    "PAYER_ACCOUNT",
    "PAYMENT_OPTION",
    "RESOURCE_ID",
    "RIGHTSIZING_TYPE",
    "SERVICE_CODE",
    "SUBSCRIPTION_ID",
)


def refuse(message: str) -> AwsError:
    """Cost Explorer's error for a request that makes no sense."""
    return AwsError("ValidationException", message)


def everything(_: Line) -> bool:
    """The test of a request without a filter."""
    return True


def parse(expression: Mapping[str, Any] | None, options: frozenset[str] = PLAIN) -> Test:
    """The test that an expression describes, `everything` for None.

    :param options: the MatchOptions that the operation takes.
    :raises AwsError: ValidationException when the expression is not a valid one.
    """
    if expression is None:
        return everything
    if len(expression) != 1:
        raise refuse(
            "Expression must have exactly one of And, Or, Not, Dimensions, Tags, CostCategories; "
            f"it has {sorted(expression) or 'none'}."
        )
    ((kind, value),) = expression.items()
    if kind in ("And", "Or"):
        return _combined(kind, [parse(operand, options) for operand in value])
    if kind == "Not":
        test = parse(value, options)
        return lambda line: not test(line)
    return _leaf(kind, value, options)


def _leaf(kind: str, value: Mapping[str, Any], options: frozenset[str]) -> Test:
    match kind:
        case "Dimensions":
            return _dimension(value, options)
        case "Tags":
            return _tag(value, options)
        case "CostCategories":
            return _no_category(value, options)
    # Product attributes: only services that the account does not use have any.
    return lambda _: False


def _combined(kind: str, tests: list[Test]) -> Test:
    if len(tests) < 2:
        raise refuse(f"{kind} needs at least two expressions.")
    if kind == "And":
        return lambda line: all(test(line) for test in tests)
    return lambda line: any(test(line) for test in tests)


def _dimension(value: Mapping[str, Any], options: frozenset[str]) -> Test:
    key = known_dimension(value.get("Key", ""))
    matches = _matches(value, options - {"ABSENT"})
    return lambda line: matches(line.dimension(key))


def known_dimension(key: str) -> str:
    """`key` if costs can be filtered by it; raises AwsError otherwise."""
    if key in _NOT_ALLOWED:
        raise refuse(f"Dimension {key} is not allowed.")
    if key not in DIMENSIONS:
        raise refuse(
            f"1 validation error detected: Value '{key}' at 'filter.dimensions.key' failed to "
            "satisfy constraint: Member must satisfy enum value set: "
            f"[{', '.join(DIMENSIONS)}]"
        )
    return key


def _tag(value: Mapping[str, Any], options: frozenset[str]) -> Test:
    key = value.get("Key", "")
    if not key:
        raise refuse("Tags needs a Key.")
    matches = _matches(value, options)
    return lambda line: matches(line.tag(key))


def _no_category(value: Mapping[str, Any], options: frozenset[str]) -> Test:
    """The account has no cost categories, so no cost has a value of any."""
    matches = _matches(value, options)
    return lambda _: matches("")


def _matches(value: Mapping[str, Any], allowed: frozenset[str]) -> Matches:
    options = set(value.get("MatchOptions") or [])
    if not options <= allowed:
        raise refuse(f"MatchOptions {sorted(options - allowed)} are not supported here.")
    if "ABSENT" in options:
        return lambda text: not text
    values = value.get("Values") or []
    if not values:
        raise refuse("Values must not be empty.")
    return _comparison(values, options)


def _comparison(values: list[str], options: set[str]) -> Matches:
    compare = _COMPARISONS[next((name for name in _COMPARISONS if name in options), "EQUALS")]
    if "CASE_INSENSITIVE" not in options:
        return lambda text: any(compare(text, wanted) for wanted in values)
    folded = [wanted.casefold() for wanted in values]
    return lambda text: any(compare(text.casefold(), wanted) for wanted in folded)
