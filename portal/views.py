from __future__ import annotations

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from ui.gates import requires
from ui.http import SignedInRequest, render_page
from ui.roles import Role


@requires(Role.VIEWER)
def overview(request: SignedInRequest) -> HttpResponse:
    return render_page(request, "overview.html", {})


def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is claimed."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    return JsonResponse({"database": "ok"})
