from __future__ import annotations

from typing import Any

import pytest
from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client, RequestFactory
from redis.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError

from catalog.models import AuditEntry
from tests import make

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"


@pytest.fixture(autouse=True)
def no_attempts_yet():
    cache.clear()


def test_a_person_signs_in_and_lands_where_they_wanted(client: Client) -> None:
    make.user("vera", password="long enough 12")

    answer = client.post(LOGIN, {"login": "vera", "password": "long enough 12", "next": "/search/"})

    assert (answer.status_code, answer["Location"]) == (302, "/search/")
    assert client.get("/search/").status_code == 200


def test_a_stranger_is_asked_to_sign_in(client: Client) -> None:
    answer = client.get("/search/?q=news")

    assert answer["Location"] == "/accounts/login/?next=/search/%3Fq%3Dnews"


def test_signing_in_changes_the_session(client: Client) -> None:
    make.user("vera", password="long enough 12")
    session = client.session
    session["planted"] = True
    session.save()
    before = session.session_key

    client.post(LOGIN, {"login": "vera", "password": "long enough 12"})

    assert client.session.session_key != before


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https:evil.example", "/\\evil.example"])
def test_nobody_is_sent_to_another_host(client: Client, elsewhere: str) -> None:
    make.user("vera", password="long enough 12")

    answer = client.post(LOGIN, {"login": "vera", "password": "long enough 12", "next": elsewhere})

    assert answer["Location"] == "/"


def test_a_failed_sign_in_is_audited_under_the_name(client: Client) -> None:
    make.user("vera", password="long enough 12")

    client.post(LOGIN, {"login": "vera", "password": "wrong"})

    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target, entry.outcome) == (
        "accounts.sign_in",
        "user:vera",
        "refused",
    )


def test_a_password_typed_as_the_name_is_not_kept(client: Client) -> None:
    client.post(LOGIN, {"login": "my-secret-password", "password": "x"})

    entry = AuditEntry.objects.get()
    assert entry.target == "user:unknown"


def test_known_and_unknown_names_are_refused_with_the_same_words(client: Client) -> None:
    make.user("vera", password="long enough 12")

    known = client.post(LOGIN, {"login": "vera", "password": "wrong"})
    unknown = client.post(LOGIN, {"login": "nobody", "password": "wrong"})

    assert known.context["form"].errors == unknown.context["form"].errors


def test_guessing_is_throttled_even_with_the_right_password(client: Client) -> None:
    make.user("vera", password="long enough 12")
    for _ in range(10):
        client.post(LOGIN, {"login": "vera", "password": "wrong"})

    answer = client.post(LOGIN, {"login": "vera", "password": "long enough 12"})

    assert answer.status_code == 200
    assert "Too many failed" in str(answer.context["form"].errors)


def test_a_forwarded_address_does_not_escape_the_throttle(client: Client) -> None:
    make.user("vera", password="long enough 12")
    for number in range(10):
        client.post(
            LOGIN,
            {"login": "vera", "password": "wrong"},
            headers={"x-forwarded-for": f"10.0.0.{number}"},
        )

    answer = client.post(
        LOGIN,
        {"login": "vera", "password": "long enough 12"},
        headers={"x-forwarded-for": "10.0.0.99"},
    )

    assert answer.status_code == 200


def test_nobody_registers(client: Client) -> None:
    answer = client.get("/accounts/signup/")

    assert answer["Location"] == LOGIN


@pytest.mark.parametrize("path", ["password/reset/", "email/", "confirm-email/"])
def test_the_pages_of_allauth_that_nobody_needs_do_not_exist(client: Client, path: str) -> None:
    assert client.get(f"/accounts/{path}").status_code == 404


def test_signing_out_needs_a_post_and_is_audited(client: Client) -> None:
    vera = make.user()
    client.force_login(vera)

    client.get("/accounts/logout/")
    still_in = client.get("/search/").status_code
    client.post("/accounts/logout/")

    assert still_in == 200
    assert client.get("/search/").status_code == 302
    assert AuditEntry.objects.filter(action="accounts.sign_out", actor=vera).exists()


def test_a_deactivated_person_is_out_at_once(client: Client) -> None:
    vera = make.user()
    client.force_login(vera)
    vera.is_active = False
    vera.save()

    assert client.get("/search/").status_code == 302


def test_changing_the_password_is_audited_and_keeps_this_session(client: Client) -> None:
    vera = make.user(password="long enough 12")
    client.force_login(vera)

    client.post(
        "/accounts/password/change/",
        {
            "oldpassword": "long enough 12",
            "password1": "even longer than 12",
            "password2": "even longer than 12",
        },
    )

    vera.refresh_from_db()
    assert vera.check_password("even longer than 12")
    assert client.get("/search/").status_code == 200
    assert AuditEntry.objects.filter(action="accounts.change_password").exists()


def test_without_redis_people_still_sign_in_and_read(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.user("vera", password="long enough 12")

    def dead(*_: object) -> None:
        raise RedisConnectionError("connection refused")

    monkeypatch.setattr(AbstractConnection, "connect", dead)

    client.post(LOGIN, {"login": "vera", "password": "long enough 12"})

    assert client.get("/services/").status_code == 200
    assert client.get("/readyz").json()["status"] == "degraded"


def test_the_throttle_is_kept_in_the_database(client: Client, settings: Any) -> None:
    make.user("vera", password="long enough 12")
    settings.CACHES = settings.CACHES | {
        "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}
    }
    call_command("first_run")
    for _ in range(10):
        client.post(LOGIN, {"login": "vera", "password": "wrong"})

    answer = client.post(LOGIN, {"login": "vera", "password": "long enough 12"})

    assert answer.status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from cache")
        assert cursor.fetchone()[0] > 0


def test_even_a_mounted_registration_would_be_closed() -> None:
    assert get_adapter().is_open_for_signup(RequestFactory().get("/")) is False


def test_changing_the_password_ends_all_other_sessions(client: Client) -> None:
    vera = make.user(password="long enough 12")
    elsewhere = Client()
    elsewhere.force_login(vera)
    client.force_login(vera)

    client.post(
        "/accounts/password/change/",
        {
            "oldpassword": "long enough 12",
            "password1": "even longer than 12",
            "password2": "even longer than 12",
        },
    )

    assert elsewhere.get("/search/").status_code == 302
