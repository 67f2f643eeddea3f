"""CloudWatch's answers as blocks of the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from aws import cloudwatch
from aws.cloudwatch import MetricQuery, MetricSeries, Status
from aws.errors import AwsError
from catalog.models import Service
from catalog.usage import record_metrics
from monitoring import timeseries
from monitoring.blocks import Floats, empty
from monitoring.layouts import Layout
from monitoring.resources import layout_for

LONGEST_ERROR = 2000  # characters


@dataclass(frozen=True, slots=True)
class Reading:
    """What CloudWatch said about one service; `incomplete` counts series it did not finish."""

    service: Service
    block: timeseries.Block
    incomplete: int

    @property
    def problem(self) -> str:
        """What is missing, in words; empty if CloudWatch answered every series wholly."""
        total = self.block.values.shape[1]
        words = f"CloudWatch answered {self.incomplete} of {total} series in part."
        return words if self.incomplete else ""


def read_minutes(services: Sequence[Service], *, start: datetime, end: datetime) -> list[Reading]:
    """Read all series of the services for start <= minute < end.

    :raises AwsError: if CloudWatch did not answer; nothing has been stored then.
    """
    layouts = [layout_for(service) for service in services]
    queries = [query for layout in layouts for query in _queries(layout)]
    answers = cloudwatch.get_metric_data(queries, start=start, end=end, period=60)
    record_metrics(len(queries))
    readings = []
    for service, layout in zip(services, layouts, strict=True):
        mine, answers = answers[: len(layout.series)], answers[len(layout.series) :]
        readings.append(_reading(service, layout, mine, start=start, end=end))
    return readings


def in_words(error: Exception) -> str:
    """Return what the row of a service says of an error; a bug is told by its name too."""
    words = str(error) if isinstance(error, AwsError) else f"{type(error).__name__}: {error}"
    return words.replace("\0", "")[:LONGEST_ERROR]


def _queries(layout: Layout) -> list[MetricQuery]:
    return [
        MetricQuery(series.namespace, series.name, series.stat, series.dimensions)
        for series in layout.series
    ]


def _reading(
    service: Service,
    layout: Layout,
    answers: Sequence[MetricSeries],
    *,
    start: datetime,
    end: datetime,
) -> Reading:
    first = int(start.timestamp())
    block = empty((int(end.timestamp()) - first) // 60, len(layout.series))
    for column, answer in enumerate(answers):
        _fill(block[:, column], answer, first)
    number = timeseries.layout_id(layout)
    incomplete = sum(answer.status != Status.COMPLETE for answer in answers)
    return Reading(service, timeseries.Block(service.pk, number, first, block), incomplete)


def _fill(column: Floats, answer: MetricSeries, first: int) -> None:
    rows = (np.asarray(answer.timestamps, dtype=np.int64) - first) // 60
    # CloudWatch rounds the start of a request down, so it may answer more than was asked.
    inside = (rows >= 0) & (rows < len(column))
    column[rows[inside]] = np.asarray(answer.values, dtype=np.float32)[inside]
