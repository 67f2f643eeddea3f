"""What an alarm tells SNS: the JSON message and its subject.

Source: messages people received from CloudWatch and published (metric, math and composite alarms).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sandbox.alarms import definition
from sandbox.alarms.model import COMPOSITE, Alarm
from sandbox.alarms.reasons import compact, stamp
from sandbox.names import ACCOUNT

REGION_NAME = "US East (N. Virginia)"
MAX_SUBJECT = 100
_COPIED = ("EvaluationPeriods", "DatapointsToAlarm", "ComparisonOperator", "Threshold")


def subject(alarm: Alarm) -> str:
    """`ALARM: "news-api-cpu-high" in US East (N. Virginia)`, at most 100 characters."""
    text = f'{alarm.state}: "{alarm.name}" in {REGION_NAME}'
    return text if len(text) <= MAX_SUBJECT else f"{text[: MAX_SUBJECT - 3]}..."


def message(alarm: Alarm) -> str:
    """The notification of the alarm's latest change of state, as JSON."""
    settings = alarm.settings
    found = {
        "AlarmName": alarm.name,
        "AlarmDescription": settings.get("AlarmDescription"),
        "AWSAccountId": ACCOUNT,
        "AlarmConfigurationUpdatedTimestamp": stamp(alarm.configured_at),
        "NewStateValue": alarm.state,
        "NewStateReason": alarm.condition.reason,
        "StateChangeTime": stamp(alarm.transitioned_at),
        "Region": REGION_NAME,
        "AlarmArn": alarm.arn,
        "OldStateValue": alarm.previous.value,
        "OKActions": settings["OKActions"],
        "AlarmActions": settings["AlarmActions"],
        "InsufficientDataActions": settings["InsufficientDataActions"],
    }
    if alarm.kind == COMPOSITE:
        return compact(found | _composite(alarm))
    return compact(found | {"Trigger": _trigger(settings)})


def _composite(alarm: Alarm) -> dict[str, Any]:
    data = json.loads(alarm.condition.data or "{}")
    children = [
        {
            "Arn": child["arn"],
            "State": {
                "Value": child["state"]["value"],
                "Timestamp": child["state"]["timestamp"],
            },
        }
        for child in data.get("triggeringAlarms", ())
    ]
    return {"AlarmRule": alarm.settings["AlarmRule"], "TriggeringChildren": children}


def _trigger(settings: Mapping[str, Any]) -> dict[str, Any]:
    counted = {key: settings[key] for key in _COPIED if settings.get(key) is not None}
    return {
        **({} if settings.get("Metrics") else _metric(settings)),
        "Period": definition.period(settings),
        **counted,
        "Threshold": float(settings["Threshold"]),
        "TreatMissingData": settings.get("TreatMissingData") or "",
        "EvaluateLowSampleCountPercentile": settings.get("EvaluateLowSampleCountPercentile") or "",
        **({"Metrics": _queries(settings["Metrics"])} if settings.get("Metrics") else {}),
    }


def _metric(settings: Mapping[str, Any]) -> dict[str, Any]:
    kind = "Statistic" if settings.get("Statistic") else "ExtendedStatistic"
    name = settings[kind]
    return {
        "MetricName": settings["MetricName"],
        "Namespace": settings["Namespace"],
        "StatisticType": kind,
        kind: name.upper() if kind == "Statistic" else name,
        "Unit": settings.get("Unit"),
        "Dimensions": _dimensions(settings["Dimensions"]),
    }


def _dimensions(dimensions: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{"value": each["Value"], "name": each["Name"]} for each in dimensions]


def _queries(queries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for query in queries:
        told = {"ReturnData": query.get("ReturnData", True), **query}
        if stat := query.get("MetricStat"):
            metric = dict(stat["Metric"])
            metric["Dimensions"] = _dimensions(metric.get("Dimensions", []))
            told["MetricStat"] = {**stat, "Metric": metric}
        found.append(told)
    return found
