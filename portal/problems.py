"""What people see when a request cannot be carried out: what failed, and what to do next."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from catalog import audit
from catalog.models import User
from ui.gates import NeedsRole
from ui.middleware import database_down
from ui.request_context import current
from ui.roles import Role


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _problem(
        request,
        400,
        "This request could not be understood",
        "Something in the address or the form is malformed. Nothing was changed.",
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _problem(
        request,
        404,
        "There is nothing here",
        "The address is wrong, or what was here is gone. Services, releases and incidents can be "
        "found with the search.",
    )


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Say which role is needed and who has it; write the refusal down."""
    if not isinstance(exception, NeedsRole):
        text = str(exception or "") or "Your account may not do this."
        return _problem(request, 403, "This is not allowed", text)
    audit.record(
        by=request.user if isinstance(request.user, User) else None,
        action="portal.enter",
        target=request.path,
        outcome="refused",
        detail={"method": request.method, "needs": exception.role.value},
    )
    return _problem(
        request,
        403,
        "Your role does not allow this",
        f"{exception} {_who_may(exception.role)} The refusal is in the audit log.",
    )


def _who_may(role: Role) -> str:
    enough = [other for other in Role if other.includes(role)]
    people = User.objects.filter(is_active=True, role__in=enough).order_by("username")
    names = list(people.values_list("username", flat=True)[:6])
    if not names:
        return "Nobody has it yet; `manage.py add_user` makes an admin."
    return f"Ask {', '.join(names[:5])}{' or another' if len(names) > 5 else ''}."


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _problem(
        request,
        403,
        "This form was not sent",
        "It is out of date, or did not come from this portal. Nothing was changed: open the page "
        "again and send it once more.",
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer without the database: it may be what failed."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return database_down()
    page = render_to_string("ui/server_error.html", {"request_id": current.get().request_id})
    return HttpResponse(page, status=500)


def _problem(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    context = {
        "problem_title": title,
        "text": text,
        "status": status,
        "request_id": current.get().request_id,
    }
    return render(request, "problem.html", context, status=status)
