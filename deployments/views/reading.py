from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET

from catalog.models import Operation, Service
from deployments import presentation, queries
from deployments.models import DecisionState, Release
from deployments.operations.moving import KIND, target_of
from ui.gates import requires
from ui.http import SignedInRequest, render_page
from ui.roles import Role

PAGE_SIZE = 25
LIVE = ("progress", "actions", "story")


@requires(Role.VIEWER)
@require_GET
def index(request: SignedInRequest) -> HttpResponse:
    slug = request.GET.get("service", "")
    page = Paginator(queries.listed(service_slug=slug), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [(release, presentation.bar(release)) for release in page]
    seen = _fingerprint([(each.pk, each.status, each.target_weight) for each in page])
    if _is_unchanged(request, seen):
        return HttpResponse(status=204)
    context = {
        "page": page,
        "rows": rows,
        "seen": seen,
        "slug": slug,
        "query": urlencode({"service": slug}) if slug else "",
        "services": Service.objects.present(),
        "waiting": queries.waiting_decisions().count(),
    }
    return render_page(request, "deployments/list.html", context, partials={"releases"})


@requires(Role.VIEWER)
@require_GET
def approvals(request: SignedInRequest) -> HttpResponse:
    decisions = list(queries.waiting_decisions())
    seen = _fingerprint([(each.pk, each.refusals) for each in decisions])
    if _is_unchanged(request, seen):
        return HttpResponse(status=204)
    at = timezone.now()
    rows = [(each, queries.judged(queries.compared(each.release, at))) for each in decisions]
    context = {"rows": rows, "seen": seen}
    return render_page(request, "deployments/approvals.html", context, partials={"decisions"})


@requires(Role.VIEWER)
@require_GET
def detail(request: SignedInRequest, pk: int) -> HttpResponse:
    release = get_object_or_404(
        Release.objects.select_related(
            "service", "requested_by", "started_by", "rollback_requested_by", "restores"
        ),
        pk=pk,
    )
    at = timezone.now()
    seen = _seen(release, at)
    part = request.htmx.target if request.htmx else ""
    if part in LIVE and request.GET.get("seen") == seen[part]:
        return HttpResponse(status=204)
    return render_page(
        request, "deployments/detail.html", _context(release, at, seen), partials=LIVE
    )


def _context(release: Release, at: datetime, seen: Mapping[str, str]) -> dict[str, Any]:
    columns = queries.compared(release, at)
    verdict = queries.judged(columns)
    decision = release.decisions.filter(state=DecisionState.OPEN).first()
    minute = queries.seconds_per_minute(release.service)
    baked_at = release.baked_at(minute or 60.0)
    return {
        "release": release,
        "seen": seen,
        "rail": presentation.rail(release),
        "bar": presentation.bar(release),
        "baked_at": baked_at,
        "is_baked": _is_past(baked_at, at),
        "minute_is_known": minute is not None,
        "decision": decision,
        "needs_reason": decision is not None and not queries.speaks_for(decision, verdict),
        "decided": release.decisions.exclude(state=DecisionState.OPEN).select_related("decided_by"),
        "canary_percent": presentation.canary_percent(release),
        "columns": columns,
        "verdict": verdict,
        "window": queries.window(release, at) if columns else None,
        "preflight": release.preflight.all(),
        "is_blocked": release.preflight.filter(outcome="BLOCK").exists(),
        "events": release.events.select_related("by").order_by("-at", "-id"),
        "operation": Operation.objects.filter(kind=KIND, target=target_of(release)).last(),
        "sent": json.dumps(_sent(release), indent=2),
        "key": uuid.uuid4(),
    }


def _sent(release: Release) -> dict[str, Any]:
    return {
        "cluster": release.service.cluster,
        "service": release.service.name,
        "taskDefinition": release.task_definition or "(registered at the start)",
        "deploymentConfiguration": release.configuration,
    }


def _is_past(moment: datetime | None, at: datetime) -> bool:
    return moment is not None and moment <= at


def _seen(release: Release, at: datetime) -> dict[str, str]:
    """Return a fingerprint of each live part, so that an unchanged one is not sent again."""
    decision = release.decisions.order_by("-id").values_list("pk", "state", "refusals").first()
    state = [release.status, release.problem, release.superseded, decision]
    weights = [release.target_weight, release.target_running, release.source_running]
    newest = release.events.order_by("-id").values_list("pk", flat=True).first()
    minute = f"{at:%H:%M}" if release.is_in_flight else ""
    return {
        "progress": _fingerprint([*state, *weights, release.lifecycle_stage, minute]),
        "actions": _fingerprint([*state, release.update_sent_at]),
        "story": _fingerprint([*state, newest, minute]),
    }


def _fingerprint(content: object) -> str:
    return hashlib.sha256(repr(content).encode()).hexdigest()[:12]


def _is_unchanged(request: SignedInRequest, seen: str) -> bool:
    return bool(request.htmx) and request.GET.get("seen") == seen
