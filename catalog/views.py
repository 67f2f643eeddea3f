from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from catalog import audit, queries
from catalog.forms import AuditFilterForm, ServiceFilterForm
from catalog.models import Account, AuditEntry
from ui.gates import requires
from ui.http import SignedInRequest, render_page
from ui.roles import Role
from ui.spreadsheet import csv_response

EXPORT_LIMIT = 10_000
_COLUMNS = ("id", "at", "actor", "action", "target", "outcome", "detail", "address", "request id")


@require_safe
@requires(Role.VIEWER)
def services(request: SignedInRequest) -> HttpResponse:
    form = ServiceFilterForm(request.GET)
    form.is_valid()
    text = form.cleaned_data.get("q", "")
    environment = form.cleaned_data.get("environment", "")
    accounts = list(Account.objects.order_by("account_id"))
    context = {
        "services": queries.services(text=text, environment=environment),
        "environments": queries.environments(),
        "accounts": accounts,
        "read_at": min((a.read_at for a in accounts if a.read_at), default=None),
        "text": text,
        "environment": environment,
    }
    return render_page(request, "catalog/services.html", context, partials={"services"})


@require_safe
@requires(Role.VIEWER)
def audit_log(request: SignedInRequest) -> HttpResponse:
    form = AuditFilterForm(request.GET)
    form.is_valid()
    wanted = form.wanted()
    page = queries.audit_page(
        wanted,
        before=form.cleaned_data.get("before") or 0,
        after=form.cleaned_data.get("after") or 0,
    )
    context = {
        "page": page,
        "wanted": wanted,
        "form": form,
        "altered": queries.altered(page.entries),
        "verification": queries.last_verification(),
    }
    return render_page(request, "catalog/audit.html", context)


@require_safe
@requires(Role.VIEWER)
def audit_csv(request: SignedInRequest) -> StreamingHttpResponse:
    form = AuditFilterForm(request.GET)
    form.is_valid()
    wanted = form.wanted()
    entries = wanted.entries()[:EXPORT_LIMIT]
    audit.record(
        by=request.user, action="catalog.export_audit", target="audit:log", detail=vars(wanted)
    )
    return csv_response("quarterdeck-audit", _COLUMNS, _rows(entries.iterator(chunk_size=1000)))


def _rows(entries: Iterator[AuditEntry]) -> Iterator[tuple[object, ...]]:
    for entry in entries:
        yield (
            entry.pk,
            entry.at.isoformat(),
            entry.actor_name,
            entry.action,
            entry.target,
            entry.outcome,
            str(entry.detail),
            entry.address,
            entry.request_id,
        )
