from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from tests.news_api.service import Server, Service

Serve = Callable[..., Server]


def make_key(service: Service, *options: str) -> str:
    made = service.run("apikey", "create", "the tests", *options)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def test_a_key_is_kept_only_as_a_digest(service: Service, db: psycopg.Connection) -> None:
    key = make_key(service)

    stored = str(db.execute("SELECT * FROM news_api_apikey").fetchall())

    assert key.split("_")[1] in stored
    assert key not in stored
    assert key.split("_", 2)[2] not in stored


def test_a_key_opens_the_api_until_it_is_revoked(
    service: Service, serve: Serve, db: psycopg.Connection
) -> None:
    server = serve(NEWS_REQUIRE_API_KEY="1")
    key = make_key(service)
    headers = {"X-API-Key": key}

    accepted = server.http.get("/v1/articles", headers=headers)
    revoked = service.run("apikey", "revoke", key.split("_")[1])
    refused = server.http.get("/v1/articles", headers=headers)

    assert accepted.status_code == 200
    assert revoked.returncode == 0
    assert refused.status_code == 401
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.headers["WWW-Authenticate"].startswith("ApiKey")
    assert "revoked" in refused.json()["detail"]
    assert "revoked" in service.run("apikey", "list").stdout


def test_where_a_key_is_required_nobody_else_gets_in(serve: Serve) -> None:
    server = serve(NEWS_REQUIRE_API_KEY="1")

    def status(**headers: str) -> int:
        return server.http.get("/v1/articles", headers=headers).status_code

    assert status() == 401
    assert status(X_API_Key="") == 401
    assert server.http.get("/healthz").status_code == 200
    assert server.http.get("/readyz").status_code == 200
    assert server.http.get("/openapi.json").status_code == 200


@pytest.mark.parametrize("key", ["x", "news_", "news__", "news_0000000000_" + "A" * 43, "x" * 5000])
def test_a_wrong_key_is_refused_even_where_none_is_required(server: Server, key: str) -> None:
    assert server.http.get("/v1/articles", headers={"X-API-Key": key}).status_code == 401


def test_the_right_prefix_with_a_wrong_secret_is_refused(service: Service, server: Server) -> None:
    key = make_key(service)

    forged = key[:-1] + ("A" if key[-1] != "A" else "B")

    assert server.http.get("/v1/articles", headers={"X-API-Key": forged}).status_code == 401
    assert server.http.get("/v1/articles", headers={"X-API-Key": key}).status_code == 200


def test_a_limit_that_is_no_number_makes_no_key(service: Service, db: psycopg.Connection) -> None:
    refused = service.run("apikey", "create", "the tests", "--per-minute=-1")

    assert refused.returncode == 2
    assert "whole number of 0 or more" in refused.stderr
    assert db.execute("SELECT count(*) FROM news_api_apikey").fetchone() == (0,)


def test_revoking_what_does_not_exist_is_an_error(service: Service) -> None:
    refused = service.run("apikey", "revoke", "nobody")

    assert refused.returncode == 1
    assert "nobody" in refused.stderr


def test_a_caller_past_the_limit_is_told_when_to_return(service: Service, serve: Serve) -> None:
    server = serve(NEWS_ANONYMOUS_PER_MINUTE="3")
    answers = [server.http.get("/v1/sources") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[0].headers["RateLimit-Policy"] == '"default";q=3;w=60'
    assert answers[0].headers["RateLimit"] == '"default";r=2;t=20'
    assert answers[3].headers["Content-Type"] == "application/problem+json"
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 20
    assert answers[3].headers["RateLimit"].startswith('"default";r=0;')
    assert server.http.get("/healthz").status_code == 200


def test_a_key_has_its_own_limit_whatever_its_address_used_up(
    service: Service, serve: Serve
) -> None:
    server = serve(NEWS_ANONYMOUS_PER_MINUTE="1")
    key = make_key(service, "--per-minute", "2")
    anonymous = [server.http.get("/v1/sources").status_code for _ in range(2)]

    with_key = [
        server.http.get("/v1/sources", headers={"X-API-Key": key}).status_code for _ in range(3)
    ]

    assert anonymous == [200, 429]
    assert with_key == [200, 200, 429]


def test_guessing_keys_is_limited_like_anonymous_use(serve: Serve) -> None:
    server = serve(NEWS_ANONYMOUS_PER_MINUTE="2")

    guesses = [
        server.http.get("/v1/sources", headers={"X-API-Key": f"news_guess_{n}"}).status_code
        for n in range(4)
    ]

    assert guesses == [401, 401, 429, 429]


def test_callers_behind_the_load_balancer_are_told_apart_and_cannot_pretend(
    service: Service, serve: Serve
) -> None:
    server = serve(NEWS_ANONYMOUS_PER_MINUTE="1")

    def status(forwarded: str) -> int:
        headers = {"X-Forwarded-For": forwarded}
        return server.http.get("/v1/sources", headers=headers).status_code

    assert status("198.51.100.1") == 200
    assert status("198.51.100.2") == 200
    assert status("203.0.113.9, 198.51.100.1") == 429, "the left entry is the caller's own claim"
    assert status("2001:db8:1:1::1") == 200
    assert status("2001:db8:1:1::2") == 429, "one customer has a whole /64"
