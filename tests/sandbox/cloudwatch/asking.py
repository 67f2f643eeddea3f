"""What tests ask CloudWatch, without the wire: short names for long parameters."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
EPOCH = NOW - timedelta(hours=2)
NOON = NOW.replace(minute=0)


def put(cloudwatch, minute, *values, name="Jobs", dimensions=(("Queue", "a"),), **datum):
    """Publish values for the minute that begins so many minutes after noon."""
    cloudwatch.put_metric_data(
        Namespace="News",
        MetricData=[
            {
                "MetricName": name,
                "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions],
                "Timestamp": NOON + timedelta(minutes=minute, seconds=20),
                **({"Values": list(values)} if values else {}),
                **datum,
            }
        ],
    )


def stat(query_id="q", statistic="Sum", period=60, dimensions=(("Queue", "a"),), **query):
    metric = {
        "Namespace": "News",
        "MetricName": query.pop("name", "Jobs"),
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions],
    }
    unit = {"Unit": query.pop("unit")} if "unit" in query else {}
    how = {"Metric": metric, "Period": period, "Stat": statistic, **unit}
    return {"Id": query_id, "MetricStat": how, **query}


def math(expression, query_id="e", **query):
    return {"Id": query_id, "Expression": expression, **query}


def answer(cloudwatch, *queries, start=0, end=10, **parameters):
    """GetMetricData between minutes after noon, oldest first unless asked otherwise."""
    return asyncio.run(
        cloudwatch.get_metric_data(
            MetricDataQueries=list(queries),
            StartTime=NOON + timedelta(minutes=start),
            EndTime=NOON + timedelta(minutes=end),
            **{"ScanBy": "TimestampAscending", **parameters},
        )
    )


def values(cloudwatch, *queries, **parameters):
    return answer(cloudwatch, *queries, **parameters)["MetricDataResults"][-1]["Values"]


def minutes(result):
    return [int((stamp - NOON).total_seconds() // 60) for stamp in result["Timestamps"]]


def statistics(cloudwatch, **changed):
    """GetMetricStatistics of Jobs over five minutes after noon."""
    parameters = {
        "Namespace": "News",
        "MetricName": "Jobs",
        "Dimensions": [{"Name": "Queue", "Value": "a"}],
        "StartTime": NOON,
        "EndTime": NOON + timedelta(minutes=5),
        "Period": 60,
        "Statistics": ["Sum"],
    }
    return asyncio.run(cloudwatch.get_metric_statistics(**{**parameters, **changed}))
