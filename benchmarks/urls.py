"""The portal's addresses, and a view that does nothing behind the same gate."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path

from portal.urls import urlpatterns as portal
from ui.gates import requires
from ui.roles import Role


@requires(Role.VIEWER)
def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse("")


urlpatterns = [path("benchmark/empty", empty), *portal]
