"""One alarm: what was configured, the state it is in, and its document in the state store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sandbox.alarms.evaluation import State
from sandbox.alarms.reasons import INITIAL
from sandbox.alarms.suppression import Suppression
from sandbox.names import ACCOUNT, REGION

METRIC, COMPOSITE = "MetricAlarm", "CompositeAlarm"
ACTIONS = {
    State.OK: "OKActions",
    State.ALARM: "AlarmActions",
    State.INSUFFICIENT_DATA: "InsufficientDataActions",
}


def alarm_arn(name: str) -> str:
    """`arn:aws:cloudwatch:us-east-1:123456789012:alarm:<name>`."""
    return f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"


def alarm_name(reference: str) -> str:
    """The name of an alarm given by name or by ARN."""
    return reference.removeprefix(alarm_arn(""))


@dataclass(frozen=True)
class Condition:
    """A state with its reason; `data` is StateReasonData, empty when there is none."""

    value: State
    reason: str
    data: str = ""


@dataclass
class Alarm:
    """`settings` are the parameters of PutMetricAlarm or PutCompositeAlarm, without Tags.

    `updated_at` and `transitioned_at` are StateUpdatedTimestamp and StateTransitionedTimestamp,
    UTC; `previous` is the state before that. `evaluation_state` is empty while all is well.
    """

    name: str
    kind: str
    settings: Mapping[str, Any]
    configured_at: datetime
    updated_at: datetime
    transitioned_at: datetime
    condition: Condition = Condition(State.INSUFFICIENT_DATA, INITIAL)
    previous: Condition = Condition(State.INSUFFICIENT_DATA, INITIAL)
    evaluation_state: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    suppression: Suppression = field(default_factory=Suppression)

    @property
    def arn(self) -> str:
        """The alarm's ARN."""
        return alarm_arn(self.name)

    @property
    def state(self) -> State:
        """The state it is in."""
        return self.condition.value

    def actions(self, state: State) -> list[str]:
        """The ARNs of what is done when that state is reached; none while actions are disabled."""
        return list(self.settings[ACTIONS[state]]) if self.settings["ActionsEnabled"] else []

    def document(self) -> dict[str, Any]:
        """Everything about it, for the state store."""
        return {key: getattr(self, key) for key in self.__dataclass_fields__} | {
            "condition": asdict(self.condition),
            "previous": asdict(self.previous),
            "suppression": asdict(self.suppression),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Alarm:
        """The alarm a document describes."""
        restored = {
            "condition": _condition(document["condition"]),
            "previous": _condition(document["previous"]),
            "suppression": Suppression(**document["suppression"]),
        }
        return cls(**{**document, **restored})


def _condition(document: Mapping[str, Any]) -> Condition:
    return Condition(**{**document, "value": State(document["value"])})
