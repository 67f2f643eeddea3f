"""The past of the services' CPU and memory as AWS/ECS reports them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from sandbox.cloudwatch.metrics import Metric
from sandbox.cloudwatch.points import Floats, Ints, Points
from sandbox.history.noise import normal
from sandbox.history.rows import Stretch, gauge
from sandbox.history.timeline import Timeline
from sandbox.history.traffic import Catalogue, arrivals

NAMESPACE = "AWS/ECS"
INSIGHTS = "ECS/ContainerInsights"
Count = Callable[[Ints], Floats]

# What a task costs: vCPU-seconds a request, percent of its reservation when idle, MiB at rest.
# Measured on running tasks, so that nothing jumps where the history ends.
_CPU_SECONDS = 0.0070
_IDLE_PERCENT = 1.05
_RESIDENT_MIB = 121.0


def _dimensions(timeline: Timeline, service: str) -> dict[str, str]:
    return {"ClusterName": timeline.environment.cluster, "ServiceName": service}


def news_api(timeline: Timeline) -> Catalogue:
    """CPUUtilization and MemoryUtilization of the News API, one sample a task and minute."""
    dimensions = _dimensions(timeline, "news-api")
    return {
        Metric.of(NAMESPACE, "CPUUtilization", **dimensions): ("Percent", partial(_cpu, timeline)),
        Metric.of(NAMESPACE, "MemoryUtilization", **dimensions): (
            "Percent",
            partial(_memory, timeline),
        ),
    }


def counts(timeline: Timeline) -> Catalogue:
    """Container Insights of the News API and the ingest, in a cluster where it is switched on."""
    environment = timeline.environment

    def deployments(minutes: Ints) -> Floats:
        return np.where(timeline.tasks(minutes) > environment.tasks, 2.0, 1.0)

    news_api = {
        "RunningTaskCount": timeline.tasks,
        "DesiredTaskCount": _steady(environment.tasks),
        "PendingTaskCount": _steady(0),
        "DeploymentCount": deployments,
    }
    ones = ("RunningTaskCount", "DesiredTaskCount", "DeploymentCount")
    ingest = {**dict.fromkeys(ones, _steady(1)), "PendingTaskCount": _steady(0)}
    return _counted(timeline, "news-api", news_api) | _counted(timeline, "news-ingest", ingest)


def _counted(timeline: Timeline, service: str, named: Mapping[str, Count]) -> Catalogue:
    dimensions = _dimensions(timeline, service)

    def series(count: Count, stretch: Stretch) -> Points:
        values = count(stretch.middle)
        return gauge(stretch, values, samples=np.ones(len(values)))

    return {
        Metric.of(INSIGHTS, name, **dimensions): ("Count", partial(series, count))
        for name, count in named.items()
    }


def _steady(number: float) -> Count:
    return lambda minutes: np.full(len(minutes), float(number))


def _cpu(timeline: Timeline, stretch: Stretch) -> Points:
    middle, environment = stretch.middle, timeline.environment
    tasks = np.maximum(timeline.tasks(middle), 1.0)
    vcpu = environment.cpu_units / 1024
    work = arrivals(timeline, middle) * _CPU_SECONDS / (tasks * vcpu)
    noise = 1 + 0.05 * normal(f"cpu {environment.cluster}", middle)
    percent = np.clip((100 * work + _IDLE_PERCENT) * noise, 0.1, 100.0)
    return gauge(stretch, percent, samples=timeline.tasks(middle), spread=0.08)


def _memory(timeline: Timeline, stretch: Stretch) -> Points:
    middle, environment = stretch.middle, timeline.environment
    noise = 1 + 0.01 * normal(f"memory {environment.cluster}", middle)
    percent = 100 * _RESIDENT_MIB / environment.memory_mib * noise
    return gauge(stretch, percent, samples=timeline.tasks(middle), spread=0.03)


def news_ingest(timeline: Timeline) -> Catalogue:
    """The same for the one task that reads the feeds; it works in bursts."""
    dimensions = _dimensions(timeline, "news-ingest")

    def cpu(stretch: Stretch) -> Points:
        percent = 4.8 * np.exp(0.15 * normal("cpu news-ingest", stretch.middle))
        return gauge(stretch, np.clip(percent, 0.0, 100.0), samples=np.ones(len(percent)))

    def memory(stretch: Stretch) -> Points:
        percent = 13.7 * (1 + 0.01 * normal("memory news-ingest", stretch.middle))
        return gauge(stretch, percent, samples=np.ones(len(percent)))

    return {
        Metric.of(NAMESPACE, "CPUUtilization", **dimensions): ("Percent", cpu),
        Metric.of(NAMESPACE, "MemoryUtilization", **dimensions): ("Percent", memory),
    }
