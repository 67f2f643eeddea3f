"""RDS events: the nightly backups, and what moto noted of changes made here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.estate.pages import Answer
from sandbox.names import ACCOUNT, REGION

INSTANCE = "news-production"
_ARN = f"arn:aws:rds:{REGION}:{ACCOUNT}:db:{INSTANCE}"
# RDS keeps events for fourteen days.
KEPT_DAYS = 14
_NIGHT = ((12, "Backing up DB instance"), (19, "Finished DB Instance backup"))


def between(begin: datetime, end: datetime) -> list[Answer]:
    """Events of a window, oldest first; call this in moto's thread. Both moments are aware."""
    found = [*_backups(end), *_noted()]
    return sorted((e for e in found if begin <= e["Date"] <= end), key=lambda e: e["Date"])


def concerns(event: Answer, *, identifier: str, kind: str, categories: Sequence[str]) -> bool:
    """Whether an event is about this source and in one of these categories; "" and () are all."""
    return (
        identifier in ("", event["SourceIdentifier"])
        and kind in ("", event["SourceType"])
        and (not categories or bool(set(categories) & set(event["EventCategories"])))
    )


def _backups(end: datetime) -> list[Answer]:
    midnight = end.replace(hour=3, minute=0, second=0, microsecond=0)
    return [
        {
            "SourceIdentifier": INSTANCE,
            "SourceType": "db-instance",
            "Message": message,
            "EventCategories": ["backup"],
            "Date": midnight - timedelta(days=days) + timedelta(minutes=minute),
            "SourceArn": _ARN,
        }
        for days in range(KEPT_DAYS)
        for minute, message in _NIGHT
    ]


def _noted() -> list[Answer]:
    from sandbox.moto_adapter import backend

    return [_shown(event) for event in backend("rds", ACCOUNT, REGION).events]


def _shown(event: Any) -> Answer:
    return {
        "SourceIdentifier": event.source_identifier,
        "SourceType": event.source_type,
        "Message": event.message,
        "EventCategories": list(event.event_categories),
        "Date": event.date.replace(tzinfo=UTC),
        "SourceArn": event.source_arn,
    }
