"""Every view says which role it needs; `tests/portal/test_gates.py` refuses one that does not."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django_htmx.http import HttpResponseClientRedirect

from ui.request_context import current
from ui.roles import Role

View = Callable[..., HttpResponseBase]
log = logging.getLogger(__name__)


class NeedsRole(PermissionDenied):
    """Somebody signed in asked for more than their role may do."""

    def __init__(self, role: Role, own: str) -> None:
        super().__init__(f"This needs the role “{role.value}”; yours is “{own}”.")
        self.role = role


def requires(role: Role) -> Callable[[View], View]:
    """Let only signed-in people with at least `role` into the view.

    :raises NeedsRole: for who is signed in with less; the portal audits it and answers 403.
    """

    def gate(view: View) -> View:
        @wraps(view)
        def gated(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            user: Any = request.user
            if not user.is_authenticated:
                return _to_sign_in(request)
            current.set(replace(current.get(), user=user.username))
            if not user.may(role):
                log.warning("refused: %s needs role %s", request.path, role)
                raise NeedsRole(role, user.role)
            return view(request, *args, **kwargs)

        gated.required_role = role  # type: ignore[attr-defined]
        return gated

    return gate


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    here = request.get_full_path()
    if getattr(request, "htmx", False):
        # A redirect would swap the sign-in form into a fragment of the page.
        here = request.htmx.current_url_abs_path or "/"  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(redirect_to_login(here).url)
    return redirect_to_login("/" if request.method == "POST" else here)
