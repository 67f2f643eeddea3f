"""A CloudWatch for tests of what the portal does with its answers."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from aws.cloudwatch import MetricSeries, Status
from monitoring import timeseries
from monitoring.resources import layout_for

MINUTE = timedelta(minutes=1)


class Cloud:
    """Answers each metric's `values` by minute, and remembers what it was asked."""

    def __init__(self, value=1.0):
        self.value = value
        self.values = {}
        self.statuses = {}
        self.error = None
        self.asked = []

    def get_metric_data(self, queries, *, start, end, period):
        self.asked.append((list(queries), start, end, period))
        if self.error:
            raise self.error
        return [self._answer(query, start, end) for query in queries]

    def _answer(self, query, start, end):
        minutes = range(int(start.timestamp()), int(end.timestamp()), 60)
        points = {at: self.values.get((query.name, at), self.value) for at in minutes}
        known = {at: value for at, value in points.items() if value is not None}
        status = self.statuses.get(query.name, Status.COMPLETE)
        return MetricSeries(list(known), list(known.values()), status)

    def put(self, name, at, value):
        self.values[name, int(at.timestamp())] = value


def first_minutes(service, start, minutes):
    """How many requests the store holds for each minute from `start` on."""
    series = [layout_for(service).of("lb")["requests"]]
    end = start + minutes * MINUTE
    window = timeseries.read(resource_id=service.pk, series=series, start=start, end=end)
    return [None if np.isnan(value) else float(value) for value in window.shown[:, 0]]
