from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests import make
from ui.logs import JsonFormatter, RequestContextFilter
from ui.request_context import RequestContext, current

Logged = Callable[[], list[dict[str, Any]]]


def formatted(message: str, *values: object, **extra: Any) -> dict[str, Any]:
    record = logging.LogRecord("catalog.work", logging.WARNING, "", 1, message, values, None)
    vars(record).update(extra)
    RequestContextFilter().filter(record)
    text = JsonFormatter().format(record)
    assert "\n" not in text
    return json.loads(text)


def test_a_line_break_in_a_message_cannot_forge_a_line() -> None:
    line = formatted("name %s", 'x\n{"level":"info"}')

    assert line["message"] == 'name x\n{"level":"info"}'


def test_a_line_has_the_request_and_the_person() -> None:
    token = current.set(RequestContext(request_id="r-1", user="olga"))

    line = formatted("looked")

    current.reset(token)
    assert (line["request_id"], line["user"], line["level"]) == ("r-1", "olga", "warning")
    assert line["at"].endswith("+00:00")


def test_outside_of_a_request_nobody_is_named() -> None:
    assert "user" not in formatted("looked")


@pytest.mark.django_db
def test_each_request_is_logged_with_its_duration_and_person(
    client: Client, logged: Logged
) -> None:
    client.force_login(make.user("vera"))

    answer = client.get("/services/?q=secret")

    (line,) = (line for line in logged() if line["logger"] == "quarterdeck.access")
    assert line["request_id"] == answer["X-Request-Id"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/services/", 200)
    assert line["user"] == "vera"
    assert line["duration_ms"] > 0
    assert "secret" not in str(line)


@pytest.mark.django_db
def test_probes_are_not_logged(client: Client, logged: Logged) -> None:
    client.get("/healthz")

    assert logged() == []
