from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from catalog.models import ChangeKind, Service
from catalog.prepared import Lookup
from monitoring import charts, queries, ranges, tables, wire
from monitoring.charts import Panel
from monitoring.queries import Board
from monitoring.ranges import BadRange, Range
from monitoring.resources import layout_for
from monitoring.vitals import objectives_of
from ui.gates import requires
from ui.http import SignedInRequest, render_page
from ui.roles import Role

_by_slug = Lookup(Service, "slug")
_SYMBOLS = {
    ChangeKind.RELEASE: "▲",
    ChangeKind.ROLLBACK: "▼",
    ChangeKind.SCALING: "↕",
    ChangeKind.ROTATION: "⟳",
    ChangeKind.INCIDENT: "!",
    ChangeKind.CONFIGURATION: "◆",
}


@requires(Role.VIEWER)
def board(request: SignedInRequest, slug: str) -> HttpResponse:
    """The golden signals of one service."""
    service, at = _service(slug), timezone.now()
    try:
        range_ = ranges.parse(request.GET, at=at)
    except BadRange as error:
        return _bad(error)
    found = queries.board(service, range_, at=at)
    context = {"board": found, "figures": _figures(found), "presets": ranges.PRESETS}
    context["spec"] = _spec(found)
    return render_page(request, "monitoring/board.html", context, partials={"vitals"})


def _service(slug: str) -> Service:
    return get_object_or_404(Service.objects.select_related("account"), slug=slug)


def _bad(error: BadRange) -> HttpResponse:
    return HttpResponse(f"{error}\n", status=400, content_type="text/plain; charset=utf-8")


def _figures(board: Board) -> list[dict[str, Any]]:
    return [{"panel": panel, "sentence": board.sentences[panel.id]} for panel in board.panels]


def _spec(board: Board) -> dict[str, Any]:
    """Return what the browser needs to draw the board, without colours."""
    markers = [
        {
            "at": int(change.at.timestamp()),
            "symbol": _SYMBOLS[ChangeKind(change.kind)],
            "title": change.title,
        }
        for change in board.changes
    ]
    return {
        "panels": [panel.as_json() for panel in board.panels],
        "markers": markers,
        "live": bool(board.range.name),
    }


@requires(Role.VIEWER)
def series(request: HttpRequest, slug: str) -> HttpResponse:
    """The lines of the board as numbers; `set=raw` is a closed day of everything that is kept."""
    at = timezone.now()
    content = request.GET.get("set", "board")
    try:
        range_ = ranges.parse(request.GET, at=at)
    except BadRange as error:
        return _bad(error)
    if content not in {"board", "raw"}:
        return _bad(BadRange("“set” must be board or raw."))
    service = _by_slug.get(slug)
    if service is None:
        raise Http404("There is no such service.")
    tag = wire.etag(service, range_, content)
    if request.headers.get("If-None-Match") == tag:
        response = HttpResponse(status=304)
    else:
        response = _content(service, range_, content, at)
    response["ETag"] = tag
    response["Cache-Control"] = wire.CACHE_CONTROL
    patch_vary_headers(response, ["Cookie"])
    return response


def _content(service: Service, range_: Range, content: str, at: Any) -> HttpResponse:
    if content == "board":
        return wire.lines(service, range_, at=at)
    stored = wire.raw_day(service, range_)
    if stored is None:
        raise Http404("Only closed UTC days are kept whole: from=2026-03-02T00:00Z and a day on.")
    return stored


@requires(Role.VIEWER)
def data(request: SignedInRequest, slug: str, panel: str) -> HttpResponse:
    """A chart's numbers as a table."""
    service, at = _service(slug), timezone.now()
    shown = _panel(service, panel)
    try:
        range_ = ranges.parse(request.GET, at=at)
    except BadRange as error:
        return _bad(error)
    found = queries.board_series(service, range_, at=at)
    page = request.GET.get("page", "1")
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1
    context = {
        "service": service,
        "range": range_,
        "table": tables.table(shown, found, page=number),
    }
    target = f"data-{shown.id}"
    if request.htmx and request.htmx.target == target:
        return render_page(request, "monitoring/data.html#table", context)
    return render_page(request, "monitoring/data.html", context)


@requires(Role.VIEWER)
def data_csv(request: HttpRequest, slug: str, panel: str) -> HttpResponse | StreamingHttpResponse:
    """A chart's numbers as a file."""
    service, at = _service(slug), timezone.now()
    shown = _panel(service, panel)
    try:
        range_ = ranges.parse(request.GET, at=at)
    except BadRange as error:
        return _bad(error)
    found = queries.board_series(service, range_, at=at)
    response = StreamingHttpResponse(
        tables.csv_lines(shown, found), content_type="text/csv; charset=utf-8"
    )
    name = f"{service.slug}-{shown.id}-{range_.start:%Y%m%dT%H%MZ}-{range_.end:%Y%m%dT%H%MZ}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _panel(service: Service, name: str) -> Panel:
    panels = charts.panels(layout_for(service), objectives_of(service))
    found = next((panel for panel in panels if panel.id == name), None)
    if found is None:
        raise Http404("This service has no such chart.")
    return found
