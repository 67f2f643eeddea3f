"""What a board shows: panels of lines, as plain data that the browser draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from monitoring.golden import Objectives
from monitoring.layouts import Layout

SECONDS, PER_SECOND, PERCENT, COUNT = "seconds", "per_second", "percent", "count"
# The first target group is drawn as the baseline, the second as the new one.
_FLEETS = (("baseline", "solid"), ("new", "dash"))


@dataclass(frozen=True, slots=True)
class Line:
    """`signal` names the colour; `dash` is the second sign by which lines differ."""

    key: str
    label: str
    signal: str
    dash: str = "solid"


@dataclass(frozen=True, slots=True)
class Threshold:
    value: float
    label: str


@dataclass(frozen=True, slots=True)
class Panel:
    """`leading` is the line that the sentence below speaks about; `note` says what it is not."""

    id: str
    title: str
    unit: str
    lines: tuple[Line, ...]
    threshold: Threshold | None = None
    of: str = ""
    note: str = ""

    @property
    def leading(self) -> Line:
        return self.lines[0]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def panels(layout: Layout, objectives: Objectives) -> list[Panel]:
    """Return the panels of a service: golden signals, target groups, database and cache."""
    found = [*_golden(layout, objectives), *_by_target_group(layout, objectives)]
    return [*found, *_stores(layout)]


@lru_cache(maxsize=4096)
def keys(layout: Layout) -> tuple[str, ...]:
    """Return the keys of all lines that the panels of a service draw, in their order."""
    return tuple(line.key for panel in panels(layout, Objectives()) for line in panel.lines)


def _golden(layout: Layout, objectives: Objectives) -> list[Panel]:
    saturation = Panel(
        "saturation",
        "Saturation",
        PERCENT,
        (
            Line("ecs.cpu", "CPU", "saturation"),
            Line("ecs.memory", "memory", "saturation", "dash"),
            Line("ecs.cpu_max", "CPU of the busiest task", "neutral", "dot"),
        ),
        Threshold(objectives.cpu, f"CPU degraded above {objectives.cpu:g} %"),
    )
    if not layout.has("lb"):
        return [saturation, _tasks()]
    return [*_front(objectives), saturation]


def _tasks() -> Panel:
    # Who stops and who takes over both report in that minute. How many run at once, only ECS says
    # for now, and Container Insights, which costs extra, for the past.
    return Panel(
        "tasks",
        "Tasks that reported CPU",
        COUNT,
        (Line("ecs.running", "tasks that reported", "saturation"),),
        note="counts a task that stopped and its successor in the minute of the change",
    )


def _front(objectives: Objectives) -> list[Panel]:
    slow = f"p99 degraded above {1000 * objectives.latency:g} ms"
    failing = f"degraded above {objectives.errors:g} %"
    return [
        Panel(
            "latency",
            "Latency",
            SECONDS,
            (
                Line("lb.p99", "p99", "latency"),
                Line("lb.p90", "p90", "latency", "dash"),
                Line("lb.p50", "p50", "latency", "dot"),
            ),
            Threshold(objectives.latency, slow),
        ),
        Panel("traffic", "Traffic", PER_SECOND, (Line("lb.rate", "requests", "traffic"),)),
        Panel(
            "errors",
            "Errors",
            PERCENT,
            (
                Line("lb.errors", "5xx", "errors"),
                Line("lb.client_errors", "4xx", "neutral", "dash"),
            ),
            Threshold(objectives.errors, failing),
        ),
    ]


def _by_target_group(layout: Layout, objectives: Objectives) -> list[Panel]:
    names = [short(name) for name in layout.target_groups]
    if not names:
        return []
    slow = Threshold(objectives.latency, f"degraded above {1000 * objectives.latency:g} ms")
    failing = Threshold(objectives.errors, f"degraded above {objectives.errors:g} %")
    return [
        _fleet("latency", "p99 by target group", SECONDS, "p99", names, slow),
        _fleet("traffic", "Traffic by target group", PER_SECOND, "rate", names, None),
        _fleet("errors", "5xx by target group", PERCENT, "errors", names, failing),
    ]


def _fleet(
    id_: str, title: str, unit: str, role: str, names: Sequence[str], threshold: Threshold | None
) -> Panel:
    lines = tuple(
        Line(f"tg{number}.{role}", name, *_FLEETS[number % len(_FLEETS)])
        for number, name in enumerate(names)
    )
    return Panel(f"{id_}-by-target-group", title, unit, lines, threshold)


def _stores(layout: Layout) -> list[Panel]:
    found = []
    share: list[Line] = []
    if layout.has("db"):
        share.append(Line("db.cpu", "database CPU", "saturation"))
        found.append(_database_latency())
    if layout.has("cache"):
        share += [
            Line("cache.cpu", "cache CPU", "saturation", "dash"),
            Line("cache.memory", "cache memory", "neutral", "dot"),
            Line("cache.hit_percent", "cache hits", "traffic"),
        ]
    if not share:
        return []
    title = " and ".join(
        word for word, scope in (("Database", "db"), ("cache", "cache")) if layout.has(scope)
    )
    return [Panel("stores", title.capitalize(), PERCENT, tuple(share)), *found]


def _database_latency() -> Panel:
    lines = (
        Line("db.read_latency", "read", "latency"),
        Line("db.write_latency", "write", "latency", "dash"),
    )
    return Panel("database-latency", "Database latency", SECONDS, lines)


def short(target_group: str) -> str:
    """Return `news-api-blue` for `targetgroup/news-api-blue/0123456789abcdef`."""
    parts = target_group.split("/")
    return parts[1] if len(parts) == 3 else target_group
