"""What happened to alarms: DescribeAlarmHistory's items, kept for 30 days and after a deletion."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.alarms.model import Alarm, Condition
from sandbox.alarms.reasons import compact, stamp
from sandbox.state import State as Store

CONFIGURATION, STATE, ACTION = "ConfigurationUpdate", "StateUpdate", "Action"
KEPT = timedelta(days=30)
# The file must not grow for ever; an account this small never has so much in 30 days.
MAX_ITEMS = 1000
MAX_DATA, MAX_SUMMARY = 4095, 255
_KIND = "alarm-history"


@dataclass(frozen=True)
class Outcome:
    """How an action went: `error` is empty when it succeeded."""

    action: str
    message: str
    error: str = ""


class History:
    """Items in the order in which they happened."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._items: deque[dict[str, Any]] = deque(store.all(_KIND))
        self._next = self._items[-1]["number"] + 1 if self._items else 0

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        """Oldest first; `item` is AlarmHistoryItem, `number` its place."""
        return iter(self._items)

    def configured(self, alarm: Alarm, verb: str, at: datetime) -> None:
        """The alarm was Created, Updated or Deleted."""
        kind = verb.removesuffix("d")
        configuration = _camel(_configuration(alarm))
        data = {"version": "1.0", "type": kind, f"{verb.lower()}Alarm": configuration}
        self._add(alarm, CONFIGURATION, f'Alarm "{alarm.name}" {verb.lower()}', compact(data), at)

    def moved(self, alarm: Alarm, before: Condition, at: datetime) -> None:
        """The alarm changed its state."""
        summary = f"Alarm updated from {before.value} to {alarm.state}"
        self._add(alarm, STATE, summary, _transition(before, alarm.condition), at)

    def acted(self, alarm: Alarm, outcome: Outcome, at: datetime) -> None:
        """An action was executed, or failed."""
        if outcome.error:
            summary = (
                f'Failed to execute action {outcome.action}. Received error: "{outcome.error}"'
            )
        else:
            summary = f"Successfully executed action {outcome.action}"
        data = {
            "actionState": "Failed" if outcome.error else "Succeeded",
            "stateUpdateTimestamp": int(alarm.transitioned_at.timestamp() * 1000),
            "notificationResource": outcome.action,
            "publishedMessage": compact({"default": outcome.message}) if outcome.message else None,
            "error": outcome.error or None,
        }
        if len(compact(data)) > MAX_DATA:
            data["publishedMessage"] = None
        self._add(alarm, ACTION, summary, compact(data), at)

    def _add(self, alarm: Alarm, kind: str, summary: str, data: str, at: datetime) -> None:
        item = {
            "AlarmName": alarm.name,
            "AlarmType": alarm.kind,
            "Timestamp": at,
            "HistoryItemType": kind,
            "HistorySummary": summary[:MAX_SUMMARY],
            "HistoryData": data[:MAX_DATA],
        }
        document = {"number": self._next, "item": item}
        self._next += 1
        self._items.append(document)
        self._store.put(_KIND, _key(document), document)
        self._forget(at)

    def _forget(self, now: datetime) -> None:
        while len(self._items) > MAX_ITEMS or self._items[0]["item"]["Timestamp"] < now - KEPT:
            self._store.delete(_KIND, _key(self._items.popleft()))


def _key(document: Mapping[str, Any]) -> str:
    return f"{document['number']:012d}"


def _configuration(alarm: Alarm) -> dict[str, Any]:
    return {
        **{key: value for key, value in alarm.settings.items() if value is not None},
        "AlarmArn": alarm.arn,
        "AlarmConfigurationUpdatedTimestamp": stamp(alarm.configured_at),
        "StateValue": alarm.state,
        "StateUpdatedTimestamp": stamp(alarm.updated_at),
    }


def _camel(value: Any) -> Any:
    """History spells members in camel case; OKActions becomes `okactions`."""
    if isinstance(value, list):
        return [_camel(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key.lower() if key == "OKActions" else key[0].lower() + key[1:]: _camel(inner)
        for key, inner in value.items()
    }


def _transition(before: Condition, after: Condition) -> str:
    """The two states; details of the older one, then all data go if it would be too long."""
    for old_data, new_data in ((True, True), (False, True), (False, False)):
        text = compact(
            {
                "version": "1.0",
                "oldState": _described(before, with_data=old_data),
                "newState": _described(after, with_data=new_data),
            }
        )
        if len(text) <= MAX_DATA:
            break
    return text


def _described(condition: Condition, *, with_data: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "stateValue": condition.value,
        "stateReason": condition.reason,
    }
    if condition.data and with_data:
        found["stateReasonData"] = json.loads(condition.data)
    return found
