from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from catalog import queries
from portal.urls import *  # noqa: F403
from portal.urls import urlpatterns as portal_patterns
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("password=hunter2 in select * from secrets")


def denied(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied("Only on weekdays.")


def suspicious(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation("never shown")


urlpatterns = [
    *portal_patterns,
    path("broken/", broken),
    path("denied/", denied),
    path("suspicious/", suspicious),
]


@pytest.fixture
def vera(client: Client) -> Client:
    client.force_login(make.user("vera"))
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize(
    ("url", "status", "words"),
    [
        ("/nowhere/", 404, "There is nothing here"),
        ("/suspicious/", 400, "could not be understood"),
        ("/denied/", 403, "Only on weekdays."),
        ("/broken/", 500, "Something broke here"),
    ],
)
def test_a_problem_says_what_it_is_and_names_its_request(
    vera: Client, url: str, status: int, words: str
) -> None:
    answer = vera.get(url)

    page = answer.content.decode()
    assert answer.status_code == status
    assert words in page
    assert answer["X-Request-Id"] in page
    assert 'id="problem"' in page
    assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_a_fault_shows_nothing_of_its_inside(vera: Client) -> None:
    page = vera.get("/broken/").content.decode()

    assert "hunter2" not in page
    assert "Traceback" not in page
    assert "RuntimeError" not in page


def test_a_fault_is_logged_with_its_request(
    vera: Client, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    answer = vera.get("/broken/")

    (line,) = (line for line in logged() if line["level"] == "error")
    assert line["request_id"] == answer["X-Request-Id"]
    assert "RuntimeError" in line["traceback"]


def test_a_view_that_loses_the_database_answers_503(
    vera: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(**_: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(queries, "services", down)

    answer = vera.get("/services/")

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "The database does not answer" in answer.content.decode()


def test_without_any_database_every_page_answers_503(vera: Client) -> None:
    def down(*_: object) -> None:
        raise OperationalError("connection refused")

    with connection.execute_wrapper(down):
        answer = vera.get("/services/")

    assert answer.status_code == 503
    assert "The database does not answer" in answer.content.decode()


def test_a_bad_request_id_is_replaced(client: Client) -> None:
    answer = client.get("/healthz", headers={"X-Request-Id": 'evil"\n{"level":"info"}'})

    assert len(answer["X-Request-Id"]) == 32


def test_a_good_request_id_is_kept(client: Client) -> None:
    answer = client.get("/healthz", headers={"X-Request-Id": "Root=1-67891233-abcdef"})

    assert answer["X-Request-Id"] == "Root=1-67891233-abcdef"


@pytest.mark.parametrize(
    "address",
    [
        "/deployments/?service=%00",
        "/incidents/?service=%00",
        "/incidents/?state=%00",
        "/audit/?actor=%00",
    ],
)
def test_a_query_with_a_nul_is_answered_without_it(client: Client, address: str) -> None:
    client.force_login(make.operator())

    assert client.get(address).status_code == 200


def test_an_address_with_a_nul_is_a_bad_request_and_not_a_failure(client: Client) -> None:
    client.force_login(make.user())

    assert client.post("/deployments/decisions/a%00/approve/").status_code == 400


def test_a_field_with_a_nul_is_read_without_it(client: Client) -> None:
    client.force_login(make.operator())
    service = make.service()

    answer = client.post("/deployments/images/refresh/", {"service": f"{service.slug}\0"})

    assert answer.status_code == 302
