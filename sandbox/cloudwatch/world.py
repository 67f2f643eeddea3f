"""The dashboard a fresh account has: the golden signals of production's News API."""

from __future__ import annotations

import json
from typing import Any

from sandbox.history import PRODUCTION
from sandbox.measurements import load_balancer_dimension, target_group_dimension
from sandbox.names import REGION

GOLDEN_SIGNALS = "news-api-golden-signals"
_ALB = "AWS/ApplicationELB"


def golden_signals() -> str:
    """The body of the dashboard."""
    widgets = [
        _widget(0, 0, "Latency of target groups, s", _per_group("TargetResponseTime"), "p99"),
        _widget(12, 0, "Requests", [[_ALB, "RequestCount", *_balancer()]], "Sum"),
        _widget(0, 6, "Error rate, %", _error_rate(), "Sum"),
        _widget(12, 6, "Saturation, %", _saturation(), "Average"),
    ]
    return json.dumps({"start": "-PT3H", "periodOverride": "inherit", "widgets": widgets})


def _widget(x: int, y: int, title: str, metrics: list[Any], stat: str) -> dict[str, Any]:
    properties = {
        "view": "timeSeries",
        "region": REGION,
        "title": title,
        "period": 60,
        "stat": stat,
        "metrics": metrics,
    }
    place = {"x": x, "y": y, "width": 12, "height": 6}
    return {"type": "metric", **place, "properties": properties}


def _balancer() -> list[str]:
    return ["LoadBalancer", load_balancer_dimension(PRODUCTION.load_balancer)]


def _per_group(name: str) -> list[Any]:
    groups = (target_group_dimension(group) for group in (PRODUCTION.blue, PRODUCTION.green))
    return [[_ALB, name, *_balancer(), "TargetGroup", group] for group in groups]


def _error_rate() -> list[Any]:
    hidden = {"visible": False}
    expression = "100 * (FILL(target, 0) + FILL(own, 0)) / requests"
    return [
        [{"expression": expression, "label": "5XX", "id": "rate"}],
        [_ALB, "HTTPCode_Target_5XX_Count", *_balancer(), {"id": "target", **hidden}],
        [_ALB, "HTTPCode_ELB_5XX_Count", *_balancer(), {"id": "own", **hidden}],
        [_ALB, "RequestCount", *_balancer(), {"id": "requests", **hidden}],
    ]


def _saturation() -> list[Any]:
    service = ["ClusterName", PRODUCTION.cluster, "ServiceName", "news-api"]
    database = ["DBInstanceIdentifier", PRODUCTION.load_balancer]
    return [
        ["AWS/ECS", "CPUUtilization", *service],
        ["AWS/ECS", "MemoryUtilization", *service],
        ["AWS/RDS", "CPUUtilization", *database],
    ]
