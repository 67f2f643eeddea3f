"""Sign-in: accounts are made by admins, never by visitors, and every attempt is audited."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.signals import password_changed
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from catalog import audit
from catalog.models import User
from catalog.prepared import Lookup

_by_id = Lookup(User, "id")


class Backend(AuthenticationBackend):  # type: ignore[misc]
    """Allauth's sign-in. Who a session belongs to is read anew for each request, only cheaper."""

    def get_user(self, user_id: int) -> User | None:
        user = _by_id.get(user_id)
        return user if user and self.user_can_authenticate(user) else None


class ClosedSignup(DefaultAccountAdapter):  # type: ignore[misc]
    """Refuses self-registration and audits failed sign-ins."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        # A name that is nobody's is not kept: it may be a password typed into the wrong field.
        typed = credentials.get("username", "")
        known = User.objects.filter(username__iexact=typed).first()
        target = f"user:{known.username}" if known else "user:unknown"
        audit.record(by=None, action="accounts.sign_in", target=target, outcome="refused")


@receiver(user_logged_in)
def audit_sign_in(*, user: User, **_: object) -> None:
    audit.record(by=user, action="accounts.sign_in", target=f"user:{user.username}")


@receiver(user_logged_out)
def audit_sign_out(*, user: User | None, **_: object) -> None:
    if user:
        audit.record(by=user, action="accounts.sign_out", target=f"user:{user.username}")


@receiver(password_changed)
def audit_password_change(*, user: User, **_: object) -> None:
    audit.record(by=user, action="accounts.change_password", target=f"user:{user.username}")
