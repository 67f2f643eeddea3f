"""Requests that pages of incidents send."""

from __future__ import annotations

import uuid

from catalog.models import Service
from tests import make

HOSTILE = "<script>alert('🐙')</script>{{ 7|add:7 }}"


def act(client, incident, action, **fields):
    return client.post(
        f"/incidents/{incident.pk}/{action}/", {"version": incident.version, **fields}
    )


def filing(**changes):
    defaults = {
        "key": str(uuid.uuid4()),
        "title": "News API answers with 5xx",
        "service": (Service.objects.first() or make.service()).slug,
        "severity": "SEV2",
        "impact_started_at": "2026-03-02T11:50",
        "text": "",
    }
    return defaults | changes
