from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from catalog.models import Service
from monitoring.models import Collection

HISTORY = timedelta(days=14)


def watch_closely(*, service: Service, until: datetime) -> None:
    """Read the service's metrics every 15 s until then. An earlier `until` changes nothing."""
    at = timezone.now()
    with transaction.atomic():
        collection = collection_of(service=service, at=at)
        if collection.watched_until is None or collection.watched_until < until:
            collection.watched_until = until
            collection.due_at = min(collection.due_at, at)
            collection.save(update_fields=["watched_until", "due_at"])


def collection_of(*, service: Service, at: datetime) -> Collection:
    """Return the service's collection, locked, beginning one if there is none."""
    Collection.objects.get_or_create(
        service=service,
        defaults={"due_at": at, "backfill_floor": (at - HISTORY).date()},
    )
    return Collection.objects.select_for_update().get(service=service)
