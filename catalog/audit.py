"""The append-only, hash-chained record of who did what.

Each entry's hash covers its own content and the hash before it, so that a row changed or removed
behind the portal's back breaks the chain at that point (`manage.py verify_audit`).
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from catalog.models import AuditEntry, User
from ui.request_context import current

GENESIS = "0" * 64
_LOCK = 7_071_001  # one writer at a time: the chain has one end


def record(
    *,
    by: User | None,
    action: str,
    target: str,
    outcome: str = "done",
    detail: dict[str, Any] | None = None,
    at: datetime | None = None,
) -> AuditEntry:
    """Append an entry, in the caller's transaction, so that both happen or neither.

    :param action: `<app>.<verb>`, such as `deployments.approve`.
    :param target: `<thing>:<id>`, such as `release:42`.
    :param outcome: `done`, `refused` or `failed`.
    """
    context = current.get()
    entry = AuditEntry(
        at=at or timezone.now(),
        actor=by,
        actor_name=by.username if by else "quarterdeck",
        action=action,
        target=target[:300],
        outcome=outcome,
        detail=detail or {},
        address=context.address[:45],
        request_id=context.request_id,
    )
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        last = AuditEntry.objects.order_by("-id").values_list("hash", flat=True).first()
        entry.previous_hash = last or GENESIS
        entry.hash = fingerprint(entry)
        entry.save(force_insert=True)
    return entry


def fingerprint(entry: AuditEntry) -> str:
    """Return the SHA-256 over the entry's content and the hash before it, as 64 hex digits."""
    content = [
        entry.previous_hash,
        entry.at.isoformat(timespec="microseconds"),
        entry.actor_id,
        entry.actor_name,
        entry.action,
        entry.target,
        entry.outcome,
        entry.detail,
        entry.address,
        entry.request_id,
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def first_broken() -> AuditEntry | None:
    """Return the first entry that does not follow from the one before it, or None."""
    previous = GENESIS
    for entry in AuditEntry.objects.order_by("id").iterator(chunk_size=1000):
        if entry.previous_hash != previous or entry.hash != fingerprint(entry):
            return entry
        previous = entry.hash
    return None
