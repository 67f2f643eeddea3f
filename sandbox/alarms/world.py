"""The alarms of a fresh account: the News API, its database and its cache.

In a healthy world all are OK. Image 1.4.2-errors breaches the error ratios and 1.4.3-slow the
latencies: overall once they take all traffic, by colour as soon as they get any.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.measurements import load_balancer_dimension, target_group_dimension
from sandbox.names import ACCOUNT, REGION

ONCALL_TOPIC = "news-oncall"
_TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:{ONCALL_TOPIC}"
_TOLD = {"AlarmActions": [_TOPIC], "OKActions": [_TOPIC]}
_BALANCER = {"LoadBalancer": load_balancer_dimension("news-production")}
_COLOURS = {
    colour: {**_BALANCER, "TargetGroup": target_group_dimension(f"news-api-{colour}")}
    for colour in ("blue", "green")
}
_SERVICE = {"ClusterName": "production", "ServiceName": "news-api"}
_DATABASE = {"DBInstanceIdentifier": "news-production"}
_CACHE = {"CacheClusterId": "news-production-001", "CacheNodeId": "0001"}
_ALB = "AWS/ApplicationELB"
_GIB = 2.0**30

Parameters = dict[str, Any]


def metric_alarms() -> list[Parameters]:
    """PutMetricAlarm's parameters of every metric alarm."""
    return [
        _error_ratio("news-api-5xx-ratio", _BALANCER, "of all News API requests"),
        *(
            _error_ratio(f"news-api-{colour}-5xx-ratio", group, f"of {colour}'s requests")
            for colour, group in _COLOURS.items()
        ),
        _latency("news-api-p99-latency", _BALANCER) | _TOLD,
        *(_latency(f"news-api-{colour}-p99-latency", group) for colour, group in _COLOURS.items()),
        _unhealthy_hosts(),
        *_resources(),
    ]


def composite_alarms() -> list[Parameters]:
    """PutCompositeAlarm's parameters of every composite alarm."""
    return [
        {
            "AlarmName": "news-api-unavailable",
            "AlarmDescription": "Readers of the News API get errors or find no healthy target.",
            "AlarmRule": 'ALARM("news-api-5xx-ratio") OR ALARM("news-api-unhealthy-hosts")',
            "Tags": _tags(),
        }
        | _TOLD
    ]


def _alarm(name: str, description: str, operator: str, threshold: float, **more: Any) -> Parameters:
    return {
        "AlarmName": name,
        "AlarmDescription": description,
        "ComparisonOperator": operator,
        "Threshold": threshold,
        "Tags": _tags(),
        **more,
    }


def _error_ratio(name: str, dimensions: Mapping[str, str], of: str) -> Parameters:
    """Percent of requests a target answered with 5xx; no requests are no errors."""
    return _alarm(
        name,
        f"More than 1 % {of} are answered with 5xx.",
        "GreaterThanThreshold",
        1.0,
        EvaluationPeriods=3,
        DatapointsToAlarm=2,
        TreatMissingData="notBreaching",
        Metrics=[
            _query("errors", "HTTPCode_Target_5XX_Count", dimensions, "Sum"),
            _query("requests", "RequestCount", dimensions, "Sum"),
            _expression("ratio", "100 * FILL(errors, 0) / requests", "5xx in percent"),
        ],
    )


def _latency(name: str, dimensions: Mapping[str, str]) -> Parameters:
    return _alarm(
        name,
        "One request in a hundred waits longer than 350 ms.",
        "GreaterThanThreshold",
        0.35,
        EvaluationPeriods=3,
        DatapointsToAlarm=3,
        TreatMissingData="notBreaching",
        ExtendedStatistic="p99",
        **_metric(_ALB, "TargetResponseTime", dimensions),
    )


def _unhealthy_hosts() -> Parameters:
    """Minimum, as AWS recommends: every node of the load balancer agrees."""
    return _alarm(
        "news-api-unhealthy-hosts",
        "A target of the News API fails its health checks.",
        "GreaterThanThreshold",
        0.0,
        EvaluationPeriods=3,
        DatapointsToAlarm=3,
        TreatMissingData="notBreaching",
        Metrics=[
            _query("blue", "UnHealthyHostCount", _COLOURS["blue"], "Minimum"),
            _query("green", "UnHealthyHostCount", _COLOURS["green"], "Minimum"),
            _expression("unhealthy", "FILL(blue, 0) + FILL(green, 0)", "unhealthy targets"),
        ],
    )


def _resources() -> list[Parameters]:
    above, below = "GreaterThanThreshold", "LessThanThreshold"
    lasting = {"EvaluationPeriods": 5, "DatapointsToAlarm": 5, "Statistic": "Average"} | _TOLD
    return [
        _alarm("news-api-cpu-high", "The News API's tasks are busy.", above, 85.0)
        | _metric("AWS/ECS", "CPUUtilization", _SERVICE)
        | lasting,
        _alarm("news-db-cpu-high", "The database is busy.", above, 80.0)
        | _metric("AWS/RDS", "CPUUtilization", _DATABASE)
        | lasting,
        _alarm("news-db-free-storage-low", "Less than 10 GiB are free.", below, 10 * _GIB)
        | _metric("AWS/RDS", "FreeStorageSpace", _DATABASE)
        | lasting,
        _alarm("news-cache-memory-high", "The cache is nearly full.", above, 80.0)
        | _metric("AWS/ElastiCache", "DatabaseMemoryUsagePercentage", _CACHE)
        | lasting,
    ]


def _metric(namespace: str, name: str, dimensions: Mapping[str, str]) -> Parameters:
    return {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": _dimensions(dimensions),
        "Period": 60,
    }


def _query(name: str, metric: str, dimensions: Mapping[str, str], stat: str) -> Parameters:
    asked = {"Namespace": _ALB, "MetricName": metric, "Dimensions": _dimensions(dimensions)}
    return {
        "Id": name,
        "MetricStat": {"Metric": asked, "Period": 60, "Stat": stat},
        "ReturnData": False,
    }


def _expression(name: str, expression: str, label: str) -> Parameters:
    return {"Id": name, "Expression": expression, "Label": label, "ReturnData": True}


def _dimensions(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in values.items()]


def _tags() -> list[dict[str, str]]:
    return [{"Key": "service", "Value": "news-api"}, {"Key": "owner", "Value": "news"}]
