"""The home page."""

from __future__ import annotations

import hashlib

from django.http import HttpResponse, HttpResponseNotModified
from django.utils import timezone

from portal import fleet
from ui.gates import requires
from ui.http import SignedInRequest, render_page
from ui.roles import Role


@requires(Role.VIEWER)
def overview(request: SignedInRequest) -> HttpResponse:
    """Every service as one row. The live part is not sent again while nothing changed."""
    found = fleet.fleet(at=timezone.now())
    if request.htmx.target != "fleet":
        return render_page(request, "overview.html", {"fleet": found}, partials={"fleet"})
    tag = f'"{hashlib.blake2b(found.facts.encode(), digest_size=12).hexdigest()}"'
    if request.headers.get("If-None-Match") == tag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = render_page(request, "overview.html", {"fleet": found}, partials={"fleet"})
    response["ETag"] = tag
    # The browser keeps the answer and asks each time whether it is still true.
    response["Cache-Control"] = "private, no-cache"
    return response
