"""No view without a gate: walks every URL of the portal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.views.decorators.csrf import csrf_exempt

from catalog.models import AuditEntry
from tests import make
from ui.roles import Role

# Reachable without signing in, each for a reason.
PUBLIC = {
    "healthz",  # says only that the process answers
    "readyz",  # names parts and ages, no data
    "metrics",  # has a gate of its own: the token, or loopback
    "account_login",
    "account_logout",
    "account_signup",  # leads to sign-in
    "account_inactive",
    "account_reauthenticate",  # allauth asks for a signed-in person itself
    "account_change_password",
}


def views(
    patterns: list[URLPattern | URLResolver], space: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from views(pattern.url_patterns, pattern.namespace or space)
        else:
            yield f"{space}:{pattern.name}" if space else str(pattern.name), pattern


def test_every_view_needs_a_role_or_is_public_by_name() -> None:
    everything = list(views(get_resolver().url_patterns))

    open_doors = {
        name
        for name, pattern in everything
        if not isinstance(getattr(pattern.callback, "required_role", None), Role)
    }

    assert len(everything) > 20
    assert open_doors <= PUBLIC


def test_no_view_does_without_protection_against_forged_forms() -> None:
    def marker(request: object) -> None: ...

    assert csrf_exempt(marker).csrf_exempt

    exempt = [
        name
        for name, pattern in views(get_resolver().url_patterns)
        if getattr(pattern.callback, "csrf_exempt", False)
    ]
    assert exempt == []


STRANGER = None
MATRIX = [
    ("/", Role.VIEWER),
    ("/search/", Role.VIEWER),
    ("/services/", Role.VIEWER),
    ("/audit/", Role.VIEWER),
    ("/audit.csv", Role.VIEWER),
    ("/deployments/", Role.VIEWER),
    ("/incidents/", Role.VIEWER),
    ("/costs/", Role.VIEWER),
    ("/people/", Role.ADMIN),
]


@pytest.mark.django_db
@pytest.mark.parametrize("role", [STRANGER, *Role])
@pytest.mark.parametrize(("path", "needed"), MATRIX)
def test_who_may_see_which_page(client: Client, path: str, needed: Role, role: Role | None) -> None:
    if role:
        client.force_login(make.user("someone", role))

    answer = client.get(path)

    if role is STRANGER:
        assert answer["Location"].startswith("/accounts/login/")
    elif role.includes(needed):
        assert answer.status_code == 200
    else:
        assert answer.status_code == 403


@pytest.mark.django_db
def test_a_refusal_says_who_has_the_role_and_is_audited(client: Client) -> None:
    make.admin("ada")
    vera = make.user("vera")
    client.force_login(vera)

    answer = client.get("/people/")

    assert "needs the role “admin”; yours is “viewer”" in answer.content.decode()
    assert "Ask ada." in answer.content.decode()
    entry = AuditEntry.objects.get(actor=vera, outcome="refused")
    assert (entry.target, entry.detail) == ("/people/", {"method": "GET", "needs": "admin"})


@pytest.mark.django_db
def test_where_nobody_has_the_role_a_refusal_says_how_to_get_it(client: Client) -> None:
    client.force_login(make.user("vera"))

    page = client.get("/people/").content.decode()

    assert "manage.py add_user" in page


@pytest.mark.django_db
def test_a_fragment_needs_the_same_role_as_its_page(client: Client) -> None:
    client.force_login(make.user("vera"))

    answer = client.get("/people/", headers={"HX-Request": "true", "HX-Target": "people"})

    assert answer.status_code == 403
    assert 'id="problem"' in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/people/add/", "/people/1/"])
def test_a_link_changes_nothing(client: Client, path: str) -> None:
    client.force_login(make.admin())

    assert client.get(path).status_code == 405


@pytest.mark.django_db
def test_a_form_from_elsewhere_is_refused() -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make.admin())
    vera = make.user("vera")

    answer = strict.post(f"/people/{vera.pk}/", {"role": "admin", "active": "on"})

    assert answer.status_code == 403
    assert "did not come from this portal" in answer.content.decode()
    vera.refresh_from_db()
    assert vera.role == "viewer"
