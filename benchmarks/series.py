"""Server time and size of the series that charts draw, and of the store underneath.

`python -m launcher run -- python -m benchmarks.series`: 50 services with 14 days of minutes of
every series, in a throw-away database.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime, timedelta
from functools import partial
from itertools import count

import numpy as np
from django.db import connection
from django.utils import timezone

from benchmarks import fleet
from benchmarks.fleet import Question
from catalog.models import Service
from monitoring import timeseries
from monitoring.resources import layout_for

ROUNDS = 200


def main() -> None:
    with fleet.throw_away_database():
        services = fleet.seed()
        portal = fleet.Portal()
        questions = {
            "select 1": Question(fleet.select_one),
            "empty gated view": portal.question("/benchmark/empty"),
            **_series(portal, services[0]),
            **_store(services[0]),
        }
        rows = fleet.taking_turns(questions, rounds=ROUNDS)
        rows["collector's write, 50 services"] = _tick(services)
        sizes = _bytes_per_point(services)
    print(f"load average {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}\n")
    fleet.report(rows, unit="select 1", floor="empty gated view")
    print(f"\n{sizes}")


def _series(portal: fleet.Portal, service: Service) -> dict[str, Question]:
    address = f"/services/{service.slug}/series"
    last = timezone.now().replace(second=0, microsecond=0)
    fixed = f"{address}?from={_spelled(last - timedelta(hours=24))}&to={_spelled(last)}"
    midnight = last.replace(hour=0, minute=0) - timedelta(days=5)
    closed = f"from={_spelled(midnight)}&to={_spelled(midnight + timedelta(days=1))}"
    _, headers, _ = portal.get(fixed)
    tag = {"HTTP_IF_NONE_MATCH": headers["ETag"]}
    return {
        "series, 1 h": portal.question(f"{address}?range=1h"),
        "series, 24 h": portal.question(f"{address}?range=24h"),
        "series, 24 h unchanged (304)": portal.question(fixed, expected=304, **tag),
        "series, 7 d": portal.question(f"{address}?range=7d"),
        "series, 14 d": portal.question(f"{address}?range=14d"),
        "closed day, all raw series": portal.question(f"{address}?set=raw&{closed}"),
    }


def _spelled(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%MZ")


def _store(service: Service) -> dict[str, Question]:
    return {
        f"store alone, {days} d at {step} s": Question(
            partial(_read, service, timedelta(days=days), step)
        )
        for days, step in ((1, 60), (7, 300), (14, 1800))
    }


def _read(service: Service, length: timedelta, step: int) -> None:
    end = timezone.now()
    timeseries.read(
        resource_id=service.pk,
        series=layout_for(service).series,
        start=end - length,
        end=end,
        step=step,
    )


def _tick(services: list[Service]) -> fleet.Timing:
    """Lay 25 minutes of every series over what is stored, with one minute that is new."""
    end = timezone.now().replace(second=0, microsecond=0)
    minutes = count(1)

    def tick() -> None:
        at = end + timedelta(minutes=next(minutes))
        blocks = [_newest(service, at) for service in services]
        timeseries.write(blocks, at=at)

    return fleet.timed(tick, rounds=20)


def _newest(service: Service, at: datetime) -> timeseries.Block:
    layout = layout_for(service)
    start = int(at.timestamp()) - 25 * 60
    values = np.full((25, len(layout.series)), 0.25, dtype=np.float32)
    return timeseries.Block(service.pk, timeseries.layout_id(layout), start, values)


def _bytes_per_point(services: list[Service]) -> str:
    """Say what a stored minute of one series takes, by table."""
    series = len(layout_for(services[0]).series)
    found = []
    for table, rows_minutes in (("metric_day", 1440), ("metric_hour", 60)):
        with connection.cursor() as cursor:
            cursor.execute(f"select count(*), pg_total_relation_size('{table}') from {table}")
            rows, size = cursor.fetchone()
        found.append(f"{table}: {size / (rows * rows_minutes * series):.2f} bytes a point")
    return ", ".join(found)


if __name__ == "__main__":
    main()
