"""Alarms and history items in botocore's output shapes, filtered and by the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox import tokens
from sandbox.alarms.definition import invalid, require
from sandbox.alarms.model import ACTIONS, COMPOSITE, METRIC, Alarm
from sandbox.errors import AwsError

# botocore's model gives the most; how many are sent unasked is what the CLI's users see.
PAGE, MAX_PAGE = 50, 100
ALARM_TYPES = (METRIC, COMPOSITE, "LogAlarm")
_ALONE = frozenset({"MaxRecords", "NextToken"})


def alarm(each: Alarm) -> dict[str, Any]:
    """MetricAlarm or CompositeAlarm."""
    found: dict[str, Any] = {
        **{key: value for key, value in each.settings.items() if value is not None},
        "AlarmArn": each.arn,
        "AlarmConfigurationUpdatedTimestamp": each.configured_at,
        "StateValue": str(each.state),
        "StateReason": each.condition.reason[:1023],
        "StateUpdatedTimestamp": each.updated_at,
        "StateTransitionedTimestamp": each.transitioned_at,
    }
    optional = {
        "StateReasonData": each.condition.data,
        "EvaluationState": each.evaluation_state,
        "ActionsSuppressedBy": each.suppression.by,
        "ActionsSuppressedReason": each.suppression.reason,
    }
    return found | {key: value for key, value in optional.items() if value}


def brief(each: Alarm, *, with_state: bool) -> dict[str, Any]:
    """What is told of children (with their state) and parents (without)."""
    found: dict[str, Any] = {"AlarmName": each.name, "AlarmArn": each.arn}
    if with_state:
        found |= {"StateValue": str(each.state), "StateUpdatedTimestamp": each.updated_at}
    return found


def types(parameters: Mapping[str, Any]) -> list[str]:
    """AlarmTypes; metric alarms unless said otherwise. Raises AwsError for others."""
    asked = parameters.get("AlarmTypes") or [METRIC]
    for each in asked:
        require(each in ALARM_TYPES, f"Invalid alarm type: {each}")
    return list(asked)


def selected(parameters: Mapping[str, Any]) -> Callable[[Alarm], bool]:
    """DescribeAlarms' filters; raises AwsError for those that exclude one another."""
    names, prefix = parameters.get("AlarmNames"), parameters.get("AlarmNamePrefix")
    if names and prefix:
        raise invalid("AlarmNames and AlarmNamePrefix cannot both be set")
    require(len(names or ()) <= MAX_PAGE, "AlarmNames must not contain more than 100 names")
    kinds, state = types(parameters), parameters.get("StateValue")
    action = parameters.get("ActionPrefix")

    def matches(each: Alarm) -> bool:
        arns = [arn for key in ACTIONS.values() for arn in each.settings[key]]
        return (
            each.kind in kinds
            and (not names or each.name in names)
            and each.name.startswith(prefix or "")
            and (state is None or each.state == state)
            and (action is None or any(arn.startswith(action) for arn in arns))
        )

    return matches


def only(parameters: Mapping[str, Any], key: str) -> None:
    """Raise AwsError if anything but paging is asked beside `key`."""
    others = {name for name, value in parameters.items() if value is not None} - _ALONE - {key}
    require(not others, f"{key} cannot be combined with {', '.join(sorted(others))}")


def page(
    found: Sequence[Any], parameters: Mapping[str, Any]
) -> tuple[Sequence[Any], dict[str, str]]:
    """One page, and NextToken when there is more; raises AwsError InvalidNextToken."""
    size = parameters.get("MaxRecords") or PAGE
    require(1 <= size <= MAX_PAGE, f"MaxRecords must be between 1 and {MAX_PAGE}")
    asked = {key: value for key, value in parameters.items() if key != "NextToken"}
    begin = 0
    if token := parameters.get("NextToken"):
        try:
            begin = tokens.read(token, asked)[0]
        except tokens.WrongToken as error:
            raise AwsError("InvalidNextToken", "The next token specified is invalid.") from error
    end = begin + size
    more = {"NextToken": tokens.write([end], asked)} if end < len(found) else {}
    return found[begin:end], more
