from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms as django_forms
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from catalog import audit
from catalog.models import Service, User
from incidents import forms, operations, page, queries
from incidents.models import Incident, IncidentQuerySet, Severity, Status, TimelineEntry
from ui.gates import requires
from ui.http import SignedInRequest, render_page
from ui.roles import Role

PAGE_SIZE = 25


@requires(Role.VIEWER)
@require_GET
def index(request: SignedInRequest) -> HttpResponse:
    chosen = {name: request.GET.get(name, "") for name in ("state", "severity", "service")}
    rows = _filtered(chosen)
    listed = Paginator(queries.worst_first(rows), PAGE_SIZE).get_page(request.GET.get("page"))
    at = timezone.now()
    context = {
        "page": listed,
        "rows": [(incident, page.seconds(incident, at)) for incident in listed],
        "chosen": chosen,
        "query": urlencode({name: value for name, value in chosen.items() if value}),
        "severities": Severity.choices,
        "statuses": Status.choices,
        "services": Service.objects.order_by("environment", "name"),
        "durations": queries.durations(rows, at=at),
    }
    return render_page(request, "incidents/list.html", context)


def _filtered(chosen: dict[str, str]) -> IncidentQuerySet:
    rows = queries.incidents()
    if chosen["state"] == "open":
        rows = rows.open()
    elif chosen["state"]:
        rows = rows.filter(status=chosen["state"])
    if chosen["severity"]:
        rows = rows.filter(severity=chosen["severity"])
    if chosen["service"]:
        rows = rows.filter(service__slug=chosen["service"])
    return rows


@requires(Role.OPERATOR)
@require_http_methods(["GET", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    at = timezone.now()
    form = _filing_form(request, at)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(operations.file(by=request.user, at=at, **form.cleaned_data))
        except operations.CannotChange as error:
            form.add_error("impact_started_at", str(error))
    context = {"form": form, "clocks": _clocks(request.user, at)}
    status = 422 if form.is_bound else 200
    return render_page(request, "incidents/new.html", context, status=status)


def _filing_form(request: SignedInRequest, at: datetime) -> forms.FileForm:
    if request.method == "POST":
        return forms.FileForm(request.POST)
    initial = {
        "key": uuid.uuid4(),
        "title": request.GET.get("title", "")[:200],
        "service": request.GET.get("service", ""),
        "impact_started_at": at,
    }
    return forms.FileForm(initial=initial)


def _clocks(user: User, at: datetime) -> str:
    """Say what time it is in UTC and where the viewer is."""
    now = f"{at:%H:%M} UTC"
    try:
        zone = ZoneInfo(user.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return now
    return now if user.time_zone == "UTC" else f"{now}, {at.astimezone(zone):%H:%M} in {zone.key}"


@requires(Role.VIEWER)
@require_GET
def detail(request: SignedInRequest, number: int) -> HttpResponse:
    return _show(request, number, {})


@requires(Role.OPERATOR)
@require_POST
def add_note(request: SignedInRequest, number: int) -> HttpResponse:
    incident = get_object_or_404(Incident, pk=number)
    form = forms.NoteForm(request.POST)
    return _carry_out(request, incident, "note", form, operations.add_note)


@requires(Role.OPERATOR)
@require_POST
def change_severity(request: SignedInRequest, number: int) -> HttpResponse:
    incident = get_object_or_404(Incident, pk=number)
    form = forms.SeverityForm(incident, request.POST)
    return _carry_out(request, incident, "severity", form, operations.change_severity)


@requires(Role.OPERATOR)
@require_POST
def move(request: SignedInRequest, number: int) -> HttpResponse:
    incident = get_object_or_404(Incident, pk=number)
    form = forms.StatusForm(incident, request.POST)
    return _carry_out(request, incident, "status", form, operations.move)


@requires(Role.OPERATOR)
@require_POST
def assign(request: SignedInRequest, number: int) -> HttpResponse:
    incident = get_object_or_404(Incident, pk=number)
    form = forms.RoleForm(incident, request.POST)
    return _carry_out(request, incident, "role", form, operations.assign)


@requires(Role.OPERATOR)
@require_POST
def release(request: SignedInRequest, number: int, assignment: int) -> HttpResponse:
    incident = get_object_or_404(Incident, pk=number)
    held = get_object_or_404(incident.assignments, pk=assignment)

    def end(**keywords: Any) -> None:
        operations.release(assignment=held, **keywords)

    form = forms.ReleaseForm(incident, request.POST)
    return _carry_out(request, incident, "release", form, end)


@requires(Role.OPERATOR)
@require_POST
def edit_milestone(request: SignedInRequest, number: int) -> HttpResponse:
    incident = get_object_or_404(Incident, pk=number)
    form = forms.MilestoneForm(incident, request.POST)
    return _carry_out(request, incident, "milestone", form, operations.edit_milestone)


@requires(Role.OPERATOR)
@require_POST
def pin(request: SignedInRequest, number: int, entry: int) -> HttpResponse:
    pinned = get_object_or_404(TimelineEntry, pk=entry, incident=number)
    operation = operations.unpin if "unpin" in request.POST else operations.pin
    operation(entry=pinned, by=request.user, at=timezone.now())
    return redirect("incidents:detail", number)


def _show(
    request: SignedInRequest,
    number: int,
    bound: Mapping[str, django_forms.Form],
    *,
    status: int = 200,
) -> HttpResponse:
    incident = get_object_or_404(queries.incidents(), pk=number)
    context = page.context(incident, user=request.user, at=timezone.now(), bound=bound)
    fingerprint = context["timeline"].fingerprint
    if request.htmx.target == "timeline" and request.GET.get("seen") == fingerprint:
        # Nothing new: what is unfolded stays unfolded.
        return HttpResponse(status=204)
    context["seen_version"] = request.GET.get("version") or str(incident.version)
    context["changed"] = context["seen_version"] != str(incident.version)
    return render_page(
        request, "incidents/detail.html", context, partials={"status", "timeline"}, status=status
    )


def _carry_out(
    request: SignedInRequest,
    incident: Incident,
    action: str,
    form: django_forms.Form,
    operation: Callable[..., object],
) -> HttpResponse:
    """Do it and go back to the page, or show the page with the reason and what was typed."""
    if not form.is_valid():
        return _show(request, incident.pk, {action: form}, status=422)
    try:
        operation(incident=incident, by=request.user, at=timezone.now(), **form.cleaned_data)
    except operations.CannotChange as error:
        form.add_error(None, str(error))
        _audit_refusal(request.user, incident, action, error)
        conflict = isinstance(error, operations.ChangedMeanwhile)
        return _show(request, incident.pk, {action: form}, status=409 if conflict else 422)
    return redirect(incident)


def _audit_refusal(
    by: User, incident: Incident, action: str, error: operations.CannotChange
) -> None:
    audit.record(
        by=by,
        action=f"incidents.{action}",
        target=f"incident:{incident.pk}",
        outcome="refused",
        detail={"why": str(error)},
    )
