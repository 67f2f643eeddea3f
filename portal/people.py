"""Who may use the portal, and as what. Every change is audited."""

from __future__ import annotations

import secrets

from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from catalog import audit
from catalog.models import User
from ui.roles import Role

PASSWORD_BYTES = 15


class NotAllowed(Exception):
    """The change would leave the portal without the person who makes it."""


def generated_password() -> str:
    """Return 20 characters with 120 bits of randomness."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


@transaction.atomic
def add(*, username: str, role: Role, password: str, by: User | None) -> User:
    """Create a person who can sign in.

    :raises ValidationError: if the name is not one, is taken, or the password is too weak.
    """
    person = User(username=username, role=role)
    validate_password(password, person)
    person.set_password(password)
    person.full_clean()
    person.save()
    audit.record(by=by, action="people.add", target=f"user:{username}", detail={"role": role})
    return person


@transaction.atomic
def change_role(*, person: User, role: Role, by: User) -> None:
    """Give the person another role.

    :raises NotAllowed: if it is one's own; the last admin could not take it back.
    """
    _not_oneself(person, by)
    before = User.objects.select_for_update().get(pk=person.pk).role
    User.objects.filter(pk=person.pk).update(role=role)
    audit.record(
        by=by,
        action="people.change_role",
        target=f"user:{person.username}",
        detail={"from": before, "to": role},
    )


@transaction.atomic
def set_active(*, person: User, active: bool, by: User) -> None:
    """Let the person sign in, or end their sessions and keep them out.

    :raises NotAllowed: if it is oneself.
    """
    _not_oneself(person, by)
    User.objects.filter(pk=person.pk).update(is_active=active)
    action = "people.activate" if active else "people.deactivate"
    audit.record(by=by, action=action, target=f"user:{person.username}")


def _not_oneself(person: User, by: User) -> None:
    if person.pk == by.pk:
        raise NotAllowed("Nobody changes their own access; ask another admin.")
