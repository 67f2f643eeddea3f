"""What a scenario can wait for, in sentences, and the call that tells whether it is so."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_SERVICE = r"(?P<cluster>[\w-]+)/(?P<service>[\w-]+)"
FORMS = (
    "alarm NAME in OK|ALARM|INSUFFICIENT_DATA",
    "deployment of CLUSTER/SERVICE is STATUS",
    "deployment of CLUSTER/SERVICE waits for a decision",
    "service CLUSTER/SERVICE is steady",
    "service CLUSTER/SERVICE runs NUMBER tasks [or more]",
    "load balancer NAME answers 2xx|4xx|5xx|none",
)
_STATUSES = (
    "PENDING|SUCCESSFUL|STOPPED|STOP_REQUESTED|IN_PROGRESS|ROLLBACK_REQUESTED|"
    "ROLLBACK_IN_PROGRESS|ROLLBACK_SUCCESSFUL|ROLLBACK_FAILED"
)

Truth = Callable[[Mapping[str, Any]], bool]


@dataclass(frozen=True)
class Asked:
    """An AWS call and what must be `true` of its answer, or whom to ask `then` instead."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    true: Truth
    then: Callable[[Mapping[str, Any]], Asked | None] | None = None


@dataclass(frozen=True)
class Expectation:
    """A sentence; it asks AWS (`asked`), or sends one request to a load balancer."""

    text: str
    asked: Asked | None = None
    load_balancer: str = ""
    answers: str = ""


def read(text: str) -> Expectation:
    """The expectation a sentence means. Raises ValueError that lists the forms."""
    for pattern, make in _READERS:
        found = re.fullmatch(pattern, text)
        if found:
            return make(text, found)
    raise ValueError(f"expected one of: {'; '.join(FORMS)}")


def _alarm(text: str, found: re.Match[str]) -> Expectation:
    def true(answer: Mapping[str, Any]) -> bool:
        alarms = [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
        return any(alarm["StateValue"] == found["state"] for alarm in alarms)

    kinds = ["MetricAlarm", "CompositeAlarm"]
    parameters = {"AlarmNames": [found["name"]], "AlarmTypes": kinds}
    return Expectation(text, Asked("cloudwatch", "DescribeAlarms", parameters, true))


def _deployment(text: str, found: re.Match[str]) -> Expectation:
    def true(answer: Mapping[str, Any]) -> bool:
        listed = answer["serviceDeployments"]
        return bool(listed) and listed[0]["status"] == found["status"]

    parameters = {"cluster": found["cluster"], "service": found["service"]}
    return Expectation(text, Asked("ecs", "ListServiceDeployments", parameters, true))


def _waiting(text: str, found: re.Match[str]) -> Expectation:
    """Only DescribeServiceDeployments tells of hooks, and it wants the newest one's ARN."""

    def newest(answer: Mapping[str, Any]) -> Asked | None:
        arns = [brief["serviceDeploymentArn"] for brief in answer["serviceDeployments"][:1]]
        parameters = {"serviceDeploymentArns": arns}
        return Asked("ecs", "DescribeServiceDeployments", parameters, awaits) if arns else None

    def awaits(answer: Mapping[str, Any]) -> bool:
        hooks = answer["serviceDeployments"][0].get("lifecycleHookDetails", [])
        return any(hook["status"] == "AWAITING_ACTION" for hook in hooks)

    parameters = {"cluster": found["cluster"], "service": found["service"]}
    listed = Asked("ecs", "ListServiceDeployments", parameters, lambda _: False, newest)
    return Expectation(text, listed)


def _steady(text: str, found: re.Match[str]) -> Expectation:
    def true(answer: Mapping[str, Any]) -> bool:
        service = answer["services"][0] if answer["services"] else {}
        full = service.get("runningCount") == service.get("desiredCount")
        return full and len(service.get("deployments", ())) == 1

    return Expectation(text, _describing(found, true))


def _runs(text: str, found: re.Match[str]) -> Expectation:
    def true(answer: Mapping[str, Any]) -> bool:
        running = answer["services"][0]["runningCount"] if answer["services"] else -1
        wanted = int(found["number"])
        return bool(running >= wanted if found["more"] else running == wanted)

    return Expectation(text, _describing(found, true))


def _answers(text: str, found: re.Match[str]) -> Expectation:
    return Expectation(text, load_balancer=found["name"], answers=found["answers"])


def _describing(found: re.Match[str], true: Truth) -> Asked:
    parameters = {"cluster": found["cluster"], "services": [found["service"]]}
    return Asked("ecs", "DescribeServices", parameters, true)


_READERS = (
    (r"alarm (?P<name>\S+) in (?P<state>OK|ALARM|INSUFFICIENT_DATA)", _alarm),
    (rf"deployment of {_SERVICE} is (?P<status>{_STATUSES})", _deployment),
    (rf"deployment of {_SERVICE} waits for a decision", _waiting),
    (rf"service {_SERVICE} is steady", _steady),
    (rf"service {_SERVICE} runs (?P<number>\d+) tasks?(?P<more> or more)?", _runs),
    (r"load balancer (?P<name>[\w-]+) answers (?P<answers>[245]xx|none)", _answers),
)
