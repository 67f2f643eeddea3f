"""Who a session belongs to is decided anew for every request, on pages and on bare numbers."""

from __future__ import annotations

import json
import logging
from datetime import timedelta

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from portal import people
from tests import make
from ui.logs import JsonFormatter, RequestContextFilter

pytestmark = pytest.mark.django_db

PATHS = ["/", "/services/production-news-api/", "/services/production-news-api/series?range=24h"]


@pytest.fixture(autouse=True)
def service():
    return make.service()


@pytest.fixture
def vera():
    return make.user("vera")


@pytest.fixture
def signed_in(vera) -> Client:
    client = Client()
    client.force_login(vera)
    return client


def is_sent_to_sign_in(answer) -> bool:
    return answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("path", PATHS)
def test_a_session_opens_what_its_role_may_see(signed_in: Client, path: str) -> None:
    assert signed_in.get(path).status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_a_deactivated_person_is_out_with_the_next_request(
    signed_in: Client, vera, path: str
) -> None:
    signed_in.get(path)

    people.set_active(person=vera, active=False, by=make.admin())

    assert is_sent_to_sign_in(signed_in.get(path))


@pytest.mark.parametrize("path", PATHS)
def test_a_session_of_somebody_who_does_not_exist_is_none(signed_in: Client, path: str) -> None:
    session = signed_in.session
    session[SESSION_KEY] = "999999"
    session.save()

    assert is_sent_to_sign_in(signed_in.get(path))


@pytest.mark.parametrize("path", PATHS)
def test_another_password_ends_the_sessions_that_were_open(
    signed_in: Client, vera, path: str
) -> None:
    signed_in.get(path)

    vera.set_password("another correct horse")
    vera.save()

    assert is_sent_to_sign_in(signed_in.get(path))


@pytest.mark.parametrize("path", PATHS)
def test_a_session_that_ran_out_is_none(signed_in: Client, path: str) -> None:
    signed_in.get(path)

    Session.objects.update(expire_date=timezone.now())

    assert is_sent_to_sign_in(signed_in.get(path))


@pytest.mark.parametrize("path", PATHS)
def test_a_session_that_signed_out_is_none(signed_in: Client, path: str) -> None:
    key = signed_in.cookies["sessionid"].value
    signed_in.logout()

    signed_in.cookies["sessionid"] = key

    assert is_sent_to_sign_in(signed_in.get(path))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("tampering", ["forged", ""])
def test_a_session_nobody_signed_is_none(signed_in: Client, path: str, tampering: str) -> None:
    Session.objects.update(session_data=f"{tampering}eyJfYXV0aF91c2VyX2lkIjoiMSJ9:1:x")

    assert is_sent_to_sign_in(signed_in.get(path))


@pytest.mark.parametrize("key", ["", "short", "x" * 32, "x" * 400, "' or true --", "é" * 32])
def test_an_invented_key_opens_nothing(client: Client, key: str) -> None:
    client.cookies["sessionid"] = key

    assert is_sent_to_sign_in(client.get(PATHS[-1]))


def test_what_djangos_own_store_wrote_is_read(client: Client, vera) -> None:
    session = SessionStore()
    session["theme"] = "dark"
    session.create()
    client.cookies["sessionid"] = session.session_key

    assert client.session["theme"] == "dark"


def test_a_session_expires_at_its_time_and_not_before(client: Client, time_machine) -> None:
    client.force_login(make.user("olga"))
    began = timezone.now()

    time_machine.move_to(began + timedelta(hours=11, minutes=59), tick=False)
    assert client.get(PATHS[-1]).status_code == 200

    time_machine.move_to(began + timedelta(hours=12, minutes=1), tick=False)
    assert is_sent_to_sign_in(client.get(PATHS[-1]))


def allowed_but_nonces(answer) -> dict[str, set[str]]:
    """What the content security policy allows; django-csp writes it in any order."""
    directives = (part.split() for part in answer["Content-Security-Policy"].split(";"))
    return {
        name: {source for source in sources if not source.startswith("'nonce-")}
        for name, *sources in directives
    }


def test_series_carry_the_headers_of_every_page(signed_in: Client) -> None:
    page, series = (signed_in.get(path) for path in PATHS[1:])

    for name in (
        "X-Content-Type-Options",
        "X-Frame-Options",
        "Referrer-Policy",
        "Cross-Origin-Opener-Policy",
        "Permissions-Policy",
    ):
        assert series[name] == page[name]
    assert allowed_but_nonces(series) == allowed_but_nonces(page)
    assert series["Cache-Control"] == "private, max-age=15"
    assert "Cookie" in series["Vary"]


def test_series_are_written_to_the_access_log_with_who_asked(signed_in: Client, caplog) -> None:
    caplog.handler.addFilter(RequestContextFilter())

    with caplog.at_level(logging.INFO, "quarterdeck.access"):
        answer = signed_in.get(PATHS[-1])

    line = json.loads(JsonFormatter().format(caplog.records[-1]))
    assert (line["path"], line["status"]) == ("/services/production-news-api/series", 200)
    assert line["user"] == "vera"
    assert line["request_id"] == answer["X-Request-Id"]
