"""What the page of one incident shows."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms as django_forms

from catalog.models import User
from incidents import forms, metrics, queries, severity
from incidents.models import MILESTONES, Incident

# How much of the board is shown on either side of the onset.
AROUND_ONSET = timedelta(hours=1)


def context(
    incident: Incident, *, user: User, at: datetime, bound: Mapping[str, django_forms.Form]
) -> dict[str, Any]:
    """Return the template's context.

    :param incident: a row of `queries.incidents()`.
    :param bound: forms that were refused, by action, so that nothing typed is lost.
    """
    return {
        "incident": incident,
        "at": at,
        "level": severity.level(incident.severity),
        "seconds": seconds(incident, at),
        "times": metrics.times(incident),
        "milestones": [(label, getattr(incident, name)) for name, label in MILESTONES.items()],
        "due": _update_due(incident, at),
        "roles": queries.current_roles(incident),
        "timeline": queries.timeline(incident),
        "suspects": queries.changes_before(incident),
        "board": _board(incident),
        "refused": [error for form in bound.values() for error in _errors(form)],
        "forms": _forms(incident) | dict(bound) if user.is_operator else {},
    }


def seconds(incident: Incident, at: datetime) -> float:
    """Return how long the impact lasted, or has lasted by now."""
    return ((incident.over_at or at) - incident.impact_started_at).total_seconds()


def _update_due(incident: Any, at: datetime) -> severity.UpdateDue | None:
    if not incident.is_open:
        return None
    return severity.update_due(severity=incident.severity, last_update=incident.last_update, at=at)


def _board(incident: Incident) -> str:
    """The service's board around the onset, as an absolute permalink in UTC."""
    onset = incident.impact_started_at
    edges = {"from": onset - AROUND_ONSET, "to": onset + AROUND_ONSET}
    query = urlencode({name: f"{edge:%Y-%m-%dT%H:%MZ}" for name, edge in edges.items()})
    return f"{incident.service.get_absolute_url()}?{query}"


def _errors(form: django_forms.Form) -> list[str]:
    return [str(error) for errors in form.errors.values() for error in errors]


def _forms(incident: Incident) -> dict[str, django_forms.Form]:
    return {
        "note": forms.NoteForm(initial={"key": uuid.uuid4()}),
        "severity": forms.SeverityForm(incident),
        "status": forms.StatusForm(incident),
        "role": forms.RoleForm(incident),
        "milestone": forms.MilestoneForm(incident),
    }
