"""What AWS's own services would publish: the sandbox's measurements as CloudWatch metrics.

Every five seconds the newest minutes are written again, because that is how they behave on AWS
too: the values of a minute change until it has settled.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import aiohttp
import numpy as np

from sandbox import clock
from sandbox.cloudwatch import container_insights
from sandbox.cloudwatch.load_balancer import (
    NAMESPACE,
    Minutes,
    gauge,
    of_load_balancers,
    of_target_group,
)
from sandbox.cloudwatch.metrics import Aggregate, Metric
from sandbox.cloudwatch.service import CloudWatch
from sandbox.cloudwatch.utilization import Utilization
from sandbox.history import PRODUCTION, backing
from sandbox.measurements import (
    AlbMinute,
    AlbMinutes,
    AlbReport,
    Fleet,
    Health,
    Services,
    ServiceSample,
    TargetHealthSample,
    TaskSample,
    load_balancer_dimension,
)
from sandbox.repeating import paced, repeat

# Sandbox seconds between two samples; a fast clock must not keep a core busy with sampling.
INTERVAL_SECONDS = 5.0
_SHORTEST_SECONDS = 0.5
# The load balancer is asked again for this many minutes before the current one.
_SETTLING_MINUTES = 2

_log = logging.getLogger(__name__)


async def run(
    cloudwatch: CloudWatch,
    alb_minutes: AlbMinutes,
    fleet: Fleet,
    health: Health,
    services: Services,
) -> None:
    """Publish for ever; ends when cancelled.

    A load balancer that is slow to answer holds up its own metrics only: those of the tasks are
    what scales the service, and never more needed than then.
    """
    publisher = Publisher(cloudwatch)
    pause = paced(INTERVAL_SECONDS, _SHORTEST_SECONDS)
    async with _Reports(alb_minutes) as reports:

        async def publish() -> None:
            report = await reports.next(publisher.since(clock.time()), pause)
            publisher.publish(
                now=clock.time(),
                report=report,
                # AWS has no metrics of tasks that belong to no service.
                tasks=[sample for sample in fleet.task_samples() if sample.service],
                health=health(),
                services=services(),
            )

        await repeat(publish, "publishing metrics", every=pause)


class _Reports:
    """What the load balancer reports, asked one question at a time."""

    def __init__(self, alb_minutes: AlbMinutes) -> None:
        self._alb_minutes = alb_minutes
        self._asked: asyncio.Future[AlbReport] | None = None

    async def __aenter__(self) -> _Reports:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._asked is not None:
            self._asked.cancel()

    async def next(self, since: int, patience: float) -> AlbReport:
        """The next report; an empty one when none comes within `patience` seconds or at all."""
        if self._asked is None:
            self._asked = asyncio.ensure_future(self._alb_minutes(since))
        await asyncio.wait({self._asked}, timeout=patience)
        if self._asked.done():
            answer, self._asked = self._asked, None
            try:
                return answer.result()
            except (OSError, aiohttp.ClientError) as error:
                _log.warning("The load balancer does not report: %s", error)
        return AlbReport(run="", minutes=[], active_connections={})


@dataclass
class _Reading:
    """The samples of a gauge in the current minute."""

    minute: int
    values: list[float] = field(default_factory=list)


class _Continued:
    """What a process measured together with what was published before it began.

    A process begins again at zero after a restart; the minute does not. The load balancer can be
    killed alone, so its counts begin anew at another moment than readings of gauges do.
    """

    def __init__(self, cloudwatch: CloudWatch) -> None:
        self._cloudwatch = cloudwatch
        self._first_minute: int | None = None
        self._before: dict[tuple[Metric, int], Aggregate | None] = {}

    def whole(self, minutes: Minutes, now: float) -> Minutes:
        """The minutes with what was published of them before the first call; `now` is seconds."""
        if self._first_minute is None:
            self._first_minute = int(now // 60)
        return {key: self._added(key, *found) for key, found in minutes.items()}

    def _added(self, key: tuple[Metric, int], new: Aggregate, unit: str) -> tuple[Aggregate, str]:
        metric, minute = key
        if self._first_minute is None or minute > self._first_minute:
            return new, unit
        if key not in self._before:
            self._before[key] = self._cloudwatch.published(metric, minute)
        before = self._before[key]
        return (before + new if before else new), unit


class Publisher:
    """Turns samples into minutes and keeps what a minute needs from earlier samples."""

    def __init__(self, cloudwatch: CloudWatch) -> None:
        self._cloudwatch = cloudwatch
        self._epoch = cloudwatch.epoch_minute
        self._read = _Continued(cloudwatch)
        self._counted = _Continued(cloudwatch)
        self._run = ""
        self._gauges: dict[tuple[Metric, str], _Reading] = {}
        self._utilization = Utilization()

    def since(self, now: float) -> int:
        """The first minute worth asking the load balancer for; `now` is seconds since 1970."""
        recent = int(now // 60) - _SETTLING_MINUTES
        last = self._cloudwatch.last_minute(_production("RequestCount"))
        return max(self._epoch, recent if last is None else min(recent, last))

    def publish(
        self,
        *,
        now: float,
        report: AlbReport,
        tasks: Sequence[TaskSample],
        health: Sequence[TargetHealthSample],
        services: Sequence[ServiceSample] = (),
    ) -> None:
        """Write everything that was measured up to `now` (seconds since 1970)."""
        counts: Minutes = {}
        healthy = {sample.target_group: sample.healthy for sample in health}
        for row in report["minutes"]:
            counts |= of_target_group(row, healthy)
        counts |= of_load_balancers(report["minutes"])
        gauges = self._of_connections(report["active_connections"], now)
        gauges |= self._of_health(health, now)
        if report["run"] not in ("", self._run):
            self._run, self._counted = report["run"], _Continued(self._cloudwatch)
        minutes = self._counted.whole(counts, now) | self._read.whole(gauges, now)
        minutes |= self._utilization.minutes(tasks, now)
        minutes |= self._of_services(services, now)
        minutes |= self._of_backing(report["minutes"], now)
        self._cloudwatch.publish(minutes)

    def _gauge(self, metric: Metric, value: float, now: float, unit: str) -> Minutes:
        """One more sample of a gauge in the current minute."""
        reading = self._gauges.setdefault((metric, unit), _Reading(int(now // 60)))
        if reading.minute != int(now // 60):
            reading.minute, reading.values = int(now // 60), []
        reading.values.append(value)
        return {(metric, reading.minute): (gauge(reading.values), unit)}

    def _of_connections(self, active: dict[str, int], now: float) -> Minutes:
        """Reported only where there are any, as the load balancer does."""
        found: Minutes = {}
        for name, number in active.items():
            if not number:
                continue
            metric = Metric.of(NAMESPACE, "ActiveConnectionCount", LoadBalancer=name)
            found |= self._gauge(metric, float(number), now, "Count")
        return found

    def _of_health(self, health: Sequence[TargetHealthSample], now: float) -> Minutes:
        """Reported only while targets are registered, as the load balancer does."""
        found: Minutes = {}
        for sample in health:
            if not sample.healthy + sample.unhealthy:
                continue
            group = {"LoadBalancer": sample.load_balancer, "TargetGroup": sample.target_group}
            for name, number in (
                ("HealthyHostCount", sample.healthy),
                ("UnHealthyHostCount", sample.unhealthy),
            ):
                found |= self._gauge(
                    Metric.of(NAMESPACE, name, **group), float(number), now, "Count"
                )
        return found

    def _of_services(self, services: Sequence[ServiceSample], now: float) -> Minutes:
        """One sample a minute: the newest counts replace those before."""
        found: Minutes = {}
        for sample in services:
            names = {"ClusterName": sample.cluster, "ServiceName": sample.service}
            for name, number in (
                ("RunningTaskCount", sample.running),
                ("DesiredTaskCount", sample.desired),
                ("PendingTaskCount", sample.pending),
                ("DeploymentCount", sample.deployments),
            ):
                metric = Metric.of(container_insights.NAMESPACE, name, **names)
                found[metric, int(now // 60)] = (gauge([float(number)]), "Count")
        return found

    def _of_backing(self, rows: Iterable[AlbMinute], now: float) -> Minutes:
        """Database and cache follow production's requests of every minute that is over."""
        requests: dict[int, int] = {}
        name = load_balancer_dimension(PRODUCTION.load_balancer)
        for row in rows:
            if row["load_balancer"] == name and row["minute"] < int(now // 60):
                requests[row["minute"]] = requests.get(row["minute"], 0) + row["requests"]
        found: Minutes = {}
        if not requests:
            return found
        minutes = np.array(sorted(requests), dtype=np.int64)
        rates = np.array([requests[minute] / 60 for minute in minutes.tolist()])
        for metric, reading in backing.GAUGES.items():
            values = backing.readings(
                metric,
                minutes,
                requests_per_second=rates,
                strain=np.zeros(len(minutes)),
                epoch=self._epoch,
            )
            for minute, value in zip(minutes.tolist(), values.tolist(), strict=True):
                found[metric, minute] = (gauge([value]), reading.unit)
        return found


def _production(name: str) -> Metric:
    own = load_balancer_dimension(PRODUCTION.load_balancer)
    return Metric.of(NAMESPACE, name, LoadBalancer=own)
