from __future__ import annotations

import re

import pytest

from tests.news_api.service import Server, wait_for


def test_every_answer_names_the_release(server: Server) -> None:
    for path in ("/healthz", "/readyz", "/v1/articles", "/nothing"):
        assert server.http.get(path).headers["X-App-Version"] == "1.4.0"
    assert server.http.get("/healthz").json() == {"status": "ok", "version": "1.4.0"}


def test_a_ready_service_says_what_it_asked(server: Server) -> None:
    answer = server.http.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {"database": "ok", "cache": "ok"}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-Request-Id": "abc-123"}, "abc-123"),
        (
            {"X-Amzn-Trace-Id": "Self=1-x;Root=1-67891233-abcdef012345678912345678;Sampled=1"},
            "1-67891233-abcdef012345678912345678",
        ),
        (
            {
                "X-Request-Id": "mine",
                "X-Amzn-Trace-Id": "Root=1-67891233-abcdef012345678912345678",
            },
            "mine",
        ),
    ],
)
def test_a_request_keeps_the_id_it_came_with(
    server: Server, headers: dict[str, str], expected: str
) -> None:
    assert server.http.get("/healthz", headers=headers).headers["X-Request-Id"] == expected


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Request-Id": 'x","level":"FORGED'},
        {"X-Request-Id": "x" * 129},
        {"X-Request-Id": ""},
        {"X-Amzn-Trace-Id": "Root=<script>"},
    ],
)
def test_a_request_without_a_sane_id_gets_one(server: Server, headers: dict[str, str]) -> None:
    made = server.http.get("/healthz", headers=headers).headers["X-Request-Id"]

    assert re.fullmatch("[0-9a-f]{32}", made)


def test_each_request_is_logged_once_as_json(server: Server) -> None:
    server.http.get("/v1/articles?q=secret+words", headers={"X-Request-Id": "logged-1"})

    def logged() -> list[dict[str, object]]:
        return [line for line in server.process.lines() if line.get("request_id") == "logged-1"]

    wait_for(logged)
    (line,) = logged()
    assert (line["method"], line["path"], line["status"]) == ("GET", "/v1/articles", 200)
    assert isinstance(line["milliseconds"], float)
    assert "secret" not in str(line)


def test_a_probe_is_not_worth_a_log_line(server: Server) -> None:
    server.http.get("/healthz", headers={"X-Request-Id": "probe-1"})
    server.http.get("/v1/articles", headers={"X-Request-Id": "after-probe"})

    wait_for(lambda: "after-probe" in server.process.output.read_text())
    assert "probe-1" not in server.process.output.read_text()
