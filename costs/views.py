from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from costs import charts, export, page, queries, rounding, sparklines, words
from costs.invoice import Block, Invoice, Row, View
from costs.models import charge
from costs.months import Month
from costs.page import Reading, UsageRow
from ui import formats
from ui.gates import requires
from ui.http import SignedInRequest, render_page
from ui.roles import Role


@requires(Role.VIEWER)
@require_GET
def month(request: SignedInRequest, month: Month | None = None) -> HttpResponse:
    at = timezone.now()
    shown = month or Month.at(at)
    reading = page.read(shown)
    show_all = "all" in request.GET
    invoice = page.as_invoice(reading, _view(request), hide=not show_all)
    context = _frame(request, reading) | {
        "invoice": invoice,
        "blocks": [(block, _rows(block, invoice)) for block in invoice.blocks],
        "by_day": _by_day(invoice),
        "effects": _effects(invoice),
        "figure": charts.daily(invoice) if reading.is_daily and len(invoice.days) > 1 else None,
        "show_all": show_all,
    }
    return render_page(request, "costs/month.html", context)


@requires(Role.VIEWER)
@require_GET
def month_csv(request: SignedInRequest, month: Month) -> HttpResponse:
    invoice = page.as_invoice(page.read(month), _view(request), hide=False)
    rows = [_csv_row(block, row, invoice) for block in invoice.blocks for row in block.rows]
    header = [
        "section",
        "service",
        "usd",
        "usd_compared",
        "usd_month_before",
        "usd_change",
        "share_of_movement",
        "driver",
    ]
    return _csv(f"costs-{month}-{invoice.view}.csv", export.text(header, rows))


@requires(Role.VIEWER)
@require_GET
def service(request: SignedInRequest, month: Month) -> HttpResponse:
    name = _name(request)
    reading = page.read(month, service=name)
    if not reading.records and not reading.before:
        raise Http404(f"{name} cost nothing in {month.title} or the month before.")
    breakdown = page.breakdown(reading, name)
    context = _frame(request, reading) | {
        "service": name,
        "breakdown": breakdown,
        "rows": [(row, words.price(row.price), _parts(row)) for row in breakdown.rows],
        "service_query": urlencode({"name": name}),
    }
    return render_page(request, "costs/service.html", context)


@requires(Role.VIEWER)
@require_GET
def service_csv(request: SignedInRequest, month: Month) -> HttpResponse:
    name = _name(request)
    breakdown = page.breakdown(page.read(month, service=name), name)
    rows = [
        (
            name,
            row.usage.usage_type,
            row.usage.total.quantity,
            row.usage.unit,
            row.price,
            row.usage.total.cost,
        )
        for row in breakdown.rows
    ]
    header = ["service", "usage_type", "quantity", "unit", "usd_per_unit", "usd"]
    return _csv(f"costs-{month}-usage-types.csv", export.text(header, rows))


def _view(request: HttpRequest) -> View:
    return View.NET if request.GET.get("view") == View.NET else View.GROSS


def _name(request: HttpRequest) -> str:
    name = request.GET.get("name", "")
    if not name:
        raise Http404("Which service?")
    return name


def _frame(request: HttpRequest, reading: Reading) -> dict[str, Any]:
    """What every cost page says: which month, how old, how reading goes."""
    at = timezone.now()
    state = queries.ingest_state(at)
    known = queries.known_months()
    month = reading.month
    return {
        "month": month,
        "previous": month.previous() if known and known[0] < month else None,
        "following": month.following() if month < Month.at(at) else None,
        "newest": known[1] if known else None,
        "is_running": month == Month.at(at),
        "reading": reading,
        "view": _view(request),
        "views": View,
        "state": state,
        "is_stale": bool(state.read_at and at - state.read_at > queries.STALE_AFTER),
        "stale_after": queries.STALE_AFTER,
        "compared": words.compared(reading.spans) if reading.spans else "",
        "labels": _labels(reading),
        "usd_per_request": charge(1),
    }


def _labels(reading: Reading) -> dict[str, str]:
    spans = reading.spans
    return {"now": words.label(spans.now), "before": words.label(spans.before)} if spans else {}


def _rows(block: Block, invoice: Invoice) -> list[tuple[Row, str, str]]:
    return [(row, sparklines.path(row.daily), _driver(row, invoice)) for row in block.rows]


def _driver(row: Row, invoice: Invoice) -> str:
    change = row.change
    if not (invoice.spans and change and change.driver) or rounding.negligible(change.amount):
        return ""
    return words.driver(change.driver, invoice.spans)


def _parts(row: UsageRow) -> str:
    """Name what changed a usage type's cost, such as `usage +$8.10, price -$0.30`."""
    named = row.effects.named() if row.effects else []
    return ", ".join(
        f"{words.EFFECTS[name]} {formats.usd_change(amount)}"
        for name, amount in named
        if not rounding.negligible(amount)
    )


def _by_day(invoice: Invoice) -> list[tuple[date, list[Decimal]]]:
    """The chart's twin: each day with an amount for every row shown."""
    rows = [row for block in invoice.blocks for row in block.rows]
    return [(day, [row.daily[place] for row in rows]) for place, day in enumerate(invoice.days)]


def _effects(invoice: Invoice) -> list[tuple[str, Any]]:
    """Name every effect worth a cent; calendar is always said where there could be one."""
    if not invoice.effects or not invoice.spans:
        return []
    return [
        (words.EFFECTS[name], amount)
        for name, amount in invoice.effects.named()
        if not rounding.negligible(amount) or (name == "calendar" and invoice.spans.now.whole)
    ]


def _csv_row(block: Block, row: Row, invoice: Invoice) -> tuple[export.Cell, ...]:
    change = row.change
    compared = (change.now, change.before, change.amount, change.share) if change else (None,) * 4
    return (block.section.value, row.service, row.total, *compared, _driver(row, invoice))


def _csv(name: str, text: str) -> HttpResponse:
    return HttpResponse(
        text,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
