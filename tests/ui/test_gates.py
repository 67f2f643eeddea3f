from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django_htmx.middleware import HtmxDetails

from catalog.models import User
from ui.gates import NeedsRole, requires
from ui.request_context import RequestContext, current
from ui.roles import Role


@requires(Role.OPERATOR)
def act(request: HttpRequest) -> HttpResponse:
    return HttpResponse(current.get().user)


@pytest.fixture(autouse=True)
def fresh_context():
    token = current.set(RequestContext())
    yield
    current.reset(token)


def asked(user: object, method: str = "GET", **headers: str) -> HttpRequest:
    request = RequestFactory().generic(method, "/act/?x=1", headers=headers)
    request.user = user
    request.htmx = HtmxDetails(request)
    return request


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.APPROVER, Role.ADMIN])
def test_enough_of_a_role_enters_and_is_named_in_the_logs(role: Role) -> None:
    answer = act(asked(User(username="olga", role=role)))

    assert answer.content == b"olga"


def test_too_little_of_a_role_is_refused_with_the_role_it_needs() -> None:
    with pytest.raises(NeedsRole, match=r"needs the role “operator”; yours is “viewer”") as refused:
        act(asked(User(username="vera", role=Role.VIEWER)))

    assert refused.value.role == Role.OPERATOR


def test_an_inactive_admin_is_refused() -> None:
    with pytest.raises(NeedsRole):
        act(asked(User(username="adam", role=Role.ADMIN, is_active=False)))


def test_a_stranger_signs_in_and_comes_back() -> None:
    answer = act(asked(AnonymousUser()))

    assert answer["Location"] == "/accounts/login/?next=/act/%3Fx%3D1"


def test_a_stranger_who_posted_does_not_come_back_to_a_post() -> None:
    answer = act(asked(AnonymousUser(), "POST"))

    assert answer["Location"] == "/accounts/login/?next=/"


def test_a_poll_of_an_expired_session_leaves_the_page() -> None:
    request = asked(
        AnonymousUser(),
        **{"HX-Request": "true", "HX-Current-URL": "http://testserver/services/?q=news"},
    )

    answer = act(request)

    assert answer["HX-Redirect"] == "/accounts/login/?next=/services/%3Fq%3Dnews"


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("other", list(Role))
def test_a_role_includes_those_before_it(role: Role, other: Role) -> None:
    order = ["viewer", "operator", "approver", "admin"]

    assert role.includes(other) == (order.index(role.value) >= order.index(other.value))
