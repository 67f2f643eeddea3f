"""CPU and memory of the services' tasks: the metrics of AWS/ECS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sandbox.cloudwatch.load_balancer import Minutes, gauge
from sandbox.cloudwatch.metrics import Metric
from sandbox.measurements import TaskSample

NAMESPACE = "AWS/ECS"
# Seconds between two samples beyond which nothing is known of the time between: the clock was
# stepped, or this machine had no time to measure.
_LONGEST_GAP = 60.0


@dataclass(frozen=True)
class _Mark:
    """vCPU-seconds used up to a moment (seconds since 1970), in the measure of a minute."""

    minute: int
    at: float
    used: float


class Utilization:
    """Turns samples of tasks into minutes, one value a task and minute.

    So SampleCount counts the tasks that ran in it: those that ended in it as well, for what they
    used was used.
    """

    def __init__(self) -> None:
        # What each task used in the current minute: (metric, task) → (minute, percent).
        self._readings: dict[tuple[Metric, str], tuple[int, float]] = {}
        # By task: its newest sample, and from which sample on its minute is measured.
        self._newest: dict[str, _Mark] = {}
        self._begun: dict[str, _Mark] = {}

    def minutes(self, tasks: Sequence[TaskSample], now: float) -> Minutes:
        """The current minute of every service with tasks, by samples of `now`."""
        minute = int(now // 60)
        self._readings = {key: seen for key, seen in self._readings.items() if seen[0] == minute}
        for task in tasks:
            self._read(task, minute, now)
        self._forget({task.task_arn for task in tasks})
        values: dict[Metric, list[float]] = {}
        for (metric, _), (_, value) in self._readings.items():
            values.setdefault(metric, []).append(value)
        return {(metric, minute): (gauge(each), "Percent") for metric, each in values.items()}

    def _read(self, task: TaskSample, minute: int, now: float) -> None:
        service = {"ClusterName": task.cluster, "ServiceName": task.service}
        memory = Metric.of(NAMESPACE, "MemoryUtilization", **service)
        used = 100 * task.rss_bytes / (task.memory_mib * 2**20)
        self._readings[memory, task.task_arn] = minute, used
        cpu = self._cpu(task, minute, now)
        if cpu is not None:
            metric = Metric.of(NAMESPACE, "CPUUtilization", **service)
            self._readings[metric, task.task_arn] = minute, cpu

    def _cpu(self, task: TaskSample, minute: int, now: float) -> float | None:
        """Percent of the task's CPU used in the minute, from the last sample before it on.

        None at its first sight.
        """
        arn = task.task_arn
        before, mark = self._newest.get(arn), _Mark(minute, now, task.cpu_seconds)
        self._newest[arn] = mark
        if before is None or not 0 < now - before.at <= _LONGEST_GAP:
            self._begun[arn] = mark
            return None
        if self._begun[arn].minute != minute:
            self._begun[arn] = replace(before, minute=minute)
        begun = self._begun[arn]
        spent = max(task.cpu_seconds - begun.used, 0.0)
        return 100 * spent / ((now - begun.at) * task.cpu_units / 1024)

    def _forget(self, alive: set[str]) -> None:
        self._newest = {arn: mark for arn, mark in self._newest.items() if arn in alive}
        self._begun = {arn: mark for arn, mark in self._begun.items() if arn in alive}
