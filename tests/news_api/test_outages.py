from __future__ import annotations

from collections.abc import Callable

import psycopg

from tests.news_api.relay import Relay
from tests.news_api.rows import make_article
from tests.news_api.service import Server, wait_for

Serve = Callable[..., Server]


def test_without_the_cache_the_service_answers_and_says_so(
    serve: Serve, db: psycopg.Connection, cache_relay: tuple[Relay, str]
) -> None:
    relay, url = cache_relay
    make_article(db, "Harbour")
    server = serve(NEWS_REDIS_URL=url, NEWS_CACHE_FRESH_SECONDS="60", NEWS_ANONYMOUS_PER_MINUTE="1")
    before = server.http.get("/v1/articles")

    relay.cut()
    during = [server.http.get("/v1/articles") for _ in range(3)]
    ready = server.http.get("/readyz")

    assert before.headers["X-Cache"] == "miss"
    assert [answer.status_code for answer in during] == [200, 200, 200], "limits fail open"
    assert {answer.headers["X-Cache"] for answer in during} == {"bypass"}
    assert during[0].json() == before.json()
    assert (ready.status_code, ready.json()) == (200, {"database": "ok", "cache": "degraded"})


def test_a_cache_that_returns_is_used_again(
    serve: Serve, cache_relay: tuple[Relay, str], db: psycopg.Connection
) -> None:
    relay, url = cache_relay
    server = serve(NEWS_REDIS_URL=url, NEWS_CACHE_FRESH_SECONDS="60")
    relay.cut()
    assert server.http.get("/v1/articles").headers["X-Cache"] == "bypass"

    relay.mend()

    wait_for(lambda: server.http.get("/v1/articles").headers["X-Cache"] == "hit")
    assert server.http.get("/readyz").json()["cache"] == "ok"


def test_without_a_cache_configured_the_service_works(serve: Serve) -> None:
    server = serve(NEWS_REDIS_URL="")

    assert server.http.get("/v1/articles").headers["X-Cache"] == "bypass"
    assert server.http.get("/readyz").json()["cache"] == "off"


def test_without_the_database_the_process_is_healthy_but_not_ready(
    serve: Serve, db: psycopg.Connection, database_relay: tuple[Relay, str]
) -> None:
    relay, url = database_relay
    make_article(db, "Harbour")
    server = serve(NEWS_DATABASE_URL=url)
    assert server.http.get("/v1/articles").status_code == 200

    relay.cut()
    answers = {
        path: server.http.get(path) for path in ("/v1/articles", "/v1/articles/1", "/v1/sources")
    }
    ready = server.http.get("/readyz")

    for answer in answers.values():
        assert answer.status_code == 503
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["Retry-After"] == "5"
        assert "not available" in answer.json()["detail"]
    assert (ready.status_code, ready.json()) == (503, {"database": "down", "cache": "ok"})
    assert server.http.get("/healthz").status_code == 200

    relay.mend()
    assert server.http.get("/v1/articles").json()["items"][0]["title"] == "Harbour"
    assert server.http.get("/readyz").status_code == 200


def test_without_the_database_a_popular_page_is_still_served_from_the_cache(
    serve: Serve, db: psycopg.Connection, database_relay: tuple[Relay, str]
) -> None:
    relay, url = database_relay
    make_article(db, "Harbour")
    server = serve(
        NEWS_DATABASE_URL=url, NEWS_CACHE_FRESH_SECONDS="1", NEWS_CACHE_STALE_SECONDS="600"
    )
    server.http.get("/v1/articles")

    relay.cut()
    wait_for(lambda: server.http.get("/v1/articles").headers["X-Cache"] == "stale")

    assert server.http.get("/v1/articles").json()["items"][0]["title"] == "Harbour"
    assert server.http.get("/v1/articles?q=uncached").status_code == 503


def test_a_query_that_hangs_is_given_up(serve: Serve, db: psycopg.Connection) -> None:
    server = serve(NEWS_STATEMENT_TIMEOUT_MS="1000")
    with db.transaction():
        db.execute("LOCK TABLE news_api_article")
        blocked = server.http.get("/v1/articles")

    assert blocked.status_code == 503
    assert server.http.get("/v1/articles").status_code == 200
