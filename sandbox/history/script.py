"""What happened before the epoch: releases, an incident, a surge, a gap. A fixed script.

Times are whole days before the epoch's day plus an hour (UTC), so that releases fall into working
hours whenever the sandbox was first started.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sandbox.history.environments import PRODUCTION, STAGING, Environment

SUCCESSFUL = "SUCCESSFUL"
ROLLED_BACK = "ROLLBACK_SUCCESSFUL"

# Minutes from a release's creation to each of its moments.
TASKS_UP = timedelta(minutes=2)
CANARY_BEGINS = timedelta(minutes=3)
CANARY_STOPPED = timedelta(minutes=9)
SHIFT = timedelta(minutes=13)
STAGING_SHIFT = timedelta(minutes=3)
CANARY_SHARE = 0.1


@dataclass(frozen=True)
class Episode:
    """Something that shows in the metrics between two moments (UTC, end exclusive).

    `kind` is one of release, rollback, slow-database, surge, gap.
    """

    start: datetime
    end: datetime
    kind: str
    title: str


@dataclass(frozen=True)
class PastRelease:
    """A service deployment that ended before the epoch.

    `target_group` is the name of the group that the new tasks registered with, None where there
    is no load balancer. `status` and `strategy` are ECS's words.
    """

    created_at: datetime
    finished_at: datetime
    service: str
    cluster: str
    image_tag: str
    task_definition_revision: int
    strategy: str
    status: str
    target_group: str | None


# (days before, hour, image tag, rolled back) of production; each went to staging the same day.
_NEWS_API = (
    (33, 9.50, "1.2.0", False),
    (26, 13.25, "1.2.1", False),
    (19, 10.00, "1.2.2", False),
    (12, 9.75, "1.3.0", False),
    (10, 13.50, "1.3.1", False),
    (8, 10.25, "1.3.2", True),
    (7, 14.00, "1.3.3", False),
    (4, 9.50, "1.3.4", False),
    (2, 11.00, "1.4.0", False),
)
_NEWS_INGEST = ((26, 15.0, "1.2.1"), (10, 15.5, "1.3.1"), (2, 13.0, "1.4.0"))
_STAGING_LEAD = timedelta(hours=2, minutes=20)
# Revision 1 of each family is what the account was set up with.
_FIRST_REVISION = 2


def _at(epoch: datetime, days: int, hour: float) -> datetime:
    midnight = epoch.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=days) + timedelta(hours=hour)


def releases(epoch: datetime) -> list[PastRelease]:
    """Every release before the epoch, oldest first; the newest of each service now runs."""
    everything = [*_news_api(epoch, PRODUCTION), *_news_api(epoch, STAGING), *_ingest(epoch)]
    return sorted(everything, key=lambda release: release.created_at)


def _news_api(epoch: datetime, environment: Environment) -> list[PastRelease]:
    found = [
        _release(_at(epoch, days, hour), environment, tag, number, rolled_back=bad)
        for number, (days, hour, tag, bad) in enumerate(_NEWS_API, start=_FIRST_REVISION)
    ]
    return _coloured(found, environment)


def _release(
    at: datetime, environment: Environment, tag: str, revision: int, *, rolled_back: bool
) -> PastRelease:
    # One request a second in staging never met the fault that production's canary found.
    canary = environment is PRODUCTION
    stopped = canary and rolled_back
    length = timedelta(minutes=11 if stopped else 24 if canary else 9)
    created = at if canary else at - _STAGING_LEAD
    return PastRelease(
        created_at=created,
        finished_at=created + length,
        service="news-api",
        cluster=environment.cluster,
        image_tag=tag,
        task_definition_revision=revision,
        strategy="CANARY" if canary else "BLUE_GREEN",
        status=ROLLED_BACK if stopped else SUCCESSFUL,
        target_group=None,
    )


def _coloured(found: list[PastRelease], environment: Environment) -> list[PastRelease]:
    """Give every release its target group, backwards: blue serves at the epoch."""
    active, other = environment.blue, environment.green
    coloured = []
    for release in reversed(found):
        succeeded = release.status == SUCCESSFUL
        coloured.append(replace(release, target_group=active if succeeded else other))
        if succeeded:
            active, other = other, active
    return coloured[::-1]


def _ingest(epoch: datetime) -> list[PastRelease]:
    return [
        PastRelease(
            created_at=_at(epoch, days, hour),
            finished_at=_at(epoch, days, hour) + timedelta(minutes=4),
            service="news-ingest",
            cluster=PRODUCTION.cluster,
            image_tag=tag,
            task_definition_revision=revision,
            strategy="ROLLING",
            status=SUCCESSFUL,
            target_group=None,
        )
        for revision, (days, hour, tag) in enumerate(_NEWS_INGEST, start=_FIRST_REVISION)
    ]


def episodes(epoch: datetime) -> list[Episode]:
    """Everything that shows in production's metrics, oldest first."""
    slow, surge, gap = (
        _at(epoch, 6, 15 + 10 / 60),
        _at(epoch, 3, 18.0),
        _at(epoch, 9, 4 + 12 / 60),
    )
    found = [
        Episode(slow, slow + timedelta(minutes=38), "slow-database", "A missing index"),
        Episode(surge, surge + timedelta(minutes=50), "surge", "A push notification to all"),
        Episode(gap, gap + timedelta(minutes=7), "gap", "No data from CloudWatch"),
    ]
    for release in releases(epoch):
        if release.cluster == PRODUCTION.cluster:
            kind = "release" if release.status == SUCCESSFUL else "rollback"
            title = f"{release.service} {release.image_tag}"
            found.append(Episode(release.created_at, release.finished_at, kind, title))
    return sorted(found, key=lambda episode: episode.start)
