"""The load balancer's past: requests, answers and response times of each target group."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from sandbox.cloudwatch.load_balancer import NAMESPACE, capacity_units
from sandbox.cloudwatch.metrics import Metric
from sandbox.cloudwatch.points import Floats, Ints, Points
from sandbox.history.environments import PRODUCTION
from sandbox.history.noise import normal, uniform, whole
from sandbox.history.rows import Stretch, counts, gauge, latencies, merged
from sandbox.history.shape import requests_per_second
from sandbox.history.timeline import Timeline
from sandbox.measurements import load_balancer_dimension, target_group_dimension

Series = Callable[[Stretch], Points]
Catalogue = dict[Metric, tuple[str, Series]]

BYTES_PER_REQUEST = 5800.0

# Response times of the News API: seconds at the median, and how close the slow ones are to it.
_MEDIAN = 0.0040
_STEEPNESS = 1.8
_SLOW_DATABASE = 60.0
_SURGE = 2.2


def arrivals(timeline: Timeline, minutes: Ints) -> Floats:
    """Requests per second that reach an environment's load balancer, noise included."""
    environment = timeline.environment
    noise = 1 + 0.06 * normal(f"arrivals {environment.cluster}", minutes)
    surge = 1 + _SURGE * timeline.surge(minutes)
    return np.asarray(requests_per_second(environment, minutes) * surge * np.clip(noise, 0.5, 1.5))


class Traffic:
    """One environment's load balancer before the epoch."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._groups = (timeline.environment.blue, timeline.environment.green)

    def catalogue(self) -> Catalogue:
        """Every metric of the load balancer and its target groups, with unit and series."""
        found: Catalogue = {}
        for group in self._groups:
            found |= self._of_group(group)
        return found | self._of_load_balancer()

    def requests(self, group: str, stretch: Stretch) -> Floats:
        """Requests a target group answered, per row; whole numbers."""
        middle = stretch.middle
        share = self._timeline.share(group, middle)
        expected = arrivals(self._timeline, middle) * 60 * stretch.step * share
        return np.where(share > 0, whole(f"requests {group}", stretch.minute, expected), 0.0)

    def _answers(self, group: str, code: str, stretch: Stretch) -> Floats:
        """How many of the requests were answered with 3XX, 4XX, 5XX or, the rest, 2XX."""
        requests = self.requests(group, stretch)
        if code == "2XX":
            others = (self._answers(group, other, stretch) for other in ("3XX", "4XX", "5XX"))
            return np.maximum(requests - sum(others), 0.0)
        rate = {"3XX": _steady(0.001), "4XX": _steady(0.015), "5XX": self._failures}[code]
        expected = requests * rate(group, stretch.middle)
        return np.minimum(whole(f"{code} {group}", stretch.minute, expected), requests)

    def _failures(self, group: str, minutes: Ints) -> Floats:
        failing = self._timeline.failing(group, minutes)
        return 0.0002 + 0.12 * failing + 0.015 * self._timeline.strain(minutes)

    def _latency(self, group: str, stretch: Stretch) -> Points:
        middle = stretch.middle
        strain, surge = self._timeline.strain(middle), self._timeline.surge(middle)
        noise = np.exp(0.05 * normal(f"latency {group}", middle))
        median = _MEDIAN * noise * (1 + _SLOW_DATABASE * strain + 0.8 * surge)
        requests = self.requests(group, stretch)
        return latencies(stretch, number=requests, median=median, steepness=_STEEPNESS)

    def _latency_of_both(self, stretch: Stretch) -> Points:
        blue, green = (self._latency(group, stretch) for group in self._groups)
        return merged(blue, green)

    def _of_group(self, group: str) -> Catalogue:
        dimensions = {
            "LoadBalancer": load_balancer_dimension(self._timeline.environment.load_balancer),
            "TargetGroup": target_group_dimension(group),
        }
        timeline = self._timeline

        def per_target(stretch: Stretch) -> Points:
            running = np.maximum(timeline.running(group, stretch.middle), 1.0)
            return counts(stretch, self.requests(group, stretch) / running)

        def healthy(stretch: Stretch) -> Points:
            running = timeline.running(group, stretch.middle)
            return gauge(stretch, running, samples=np.where(running > 0, 12.0, 0.0))

        def unhealthy(stretch: Stretch) -> Points:
            running = timeline.running(group, stretch.middle)
            return gauge(stretch, running * 0, samples=np.where(running > 0, 12.0, 0.0))

        named: Mapping[str, tuple[str, Series]] = {
            "RequestCount": ("Count", lambda rows: counts(rows, self.requests(group, rows))),
            "TargetResponseTime": ("Seconds", partial(self._latency, group)),
            "HealthyHostCount": ("Count", healthy),
            "UnHealthyHostCount": ("Count", unhealthy),
            **{_code(code): ("Count", self._code_series((group,), code)) for code in _CODES},
        }
        found = {Metric.of(NAMESPACE, name, **dimensions): how for name, how in named.items()}
        for names in ({"TargetGroup": dimensions["TargetGroup"]}, dimensions):
            found[Metric.of(NAMESPACE, "RequestCountPerTarget", **names)] = ("Count", per_target)
        return found

    def _of_load_balancer(self) -> Catalogue:
        environment = self._timeline.environment
        own = load_balancer_dimension(environment.load_balancer)
        named: dict[str, tuple[str, Series]] = {
            "RequestCount": ("Count", lambda rows: counts(rows, self._total(rows))),
            "TargetResponseTime": ("Seconds", self._latency_of_both),
            "ActiveConnectionCount": ("Count", self._connections),
            "ConsumedLCUs": ("Count", self._capacity),
            "ProcessedBytes": ("Bytes", self._bytes),
            **{_code(code): ("Count", self._code_series(self._groups, code)) for code in _CODES},
        }
        if environment is PRODUCTION:
            named |= {
                "HTTPCode_ELB_5XX_Count": ("Count", partial(self._refused, ("503", "504"))),
                "HTTPCode_ELB_503_Count": ("Count", partial(self._refused, ("503",))),
                "HTTPCode_ELB_504_Count": ("Count", partial(self._refused, ("504",))),
            }
        return {Metric.of(NAMESPACE, name, LoadBalancer=own): how for name, how in named.items()}

    def _code_series(self, groups: tuple[str, ...], code: str) -> Series:
        def series(stretch: Stretch) -> Points:
            answers = [self._answers(group, code, stretch) for group in groups]
            return counts(stretch, np.sum(answers, axis=0))

        return series

    def _total(self, stretch: Stretch) -> Floats:
        blue, green = (self.requests(group, stretch) for group in self._groups)
        return blue + green

    def _refused(self, codes: tuple[str, ...], stretch: Stretch) -> Points:
        """Answers the load balancer gave by itself: time-outs, and no target to choose."""
        middle = stretch.middle
        rates = {
            "503": 0.001 * (self._timeline.surge(middle) >= 1),
            "504": 0.003 * self._timeline.strain(middle),
        }
        name = f"refused {self._timeline.environment.load_balancer}"
        total = self._total(stretch)
        each = [whole(f"{name} {code}", stretch.minute, total * rates[code]) for code in codes]
        return counts(stretch, np.sum(each, axis=0))

    def _connections(self, stretch: Stretch) -> Points:
        rate = arrivals(self._timeline, stretch.middle)
        noise = uniform(f"connections {self._timeline.environment.cluster}", stretch.middle)
        return gauge(stretch, np.ceil(rate * (0.28 + 0.14 * noise)), samples=np.ones(len(rate)))

    def _bytes(self, stretch: Stretch) -> Points:
        sent = self._total(stretch) / stretch.step * BYTES_PER_REQUEST
        return gauge(stretch, sent, samples=np.where(sent > 0, 1.0, 0.0))

    def _capacity(self, stretch: Stretch) -> Points:
        consumed = capacity_units(self._total(stretch) / stretch.step * BYTES_PER_REQUEST)
        return gauge(stretch, consumed, samples=np.where(consumed > 0, 1.0, 0.0))


_CODES = ("2XX", "3XX", "4XX", "5XX")


def _code(code: str) -> str:
    return f"HTTPCode_Target_{code}_Count"


def _steady(rate: float) -> Callable[[str, Ints], Floats]:
    return lambda _, minutes: np.full(len(minutes), rate)
