from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg

from news_api.cache import _Flight
from news_api.resp import Valkey
from tests.news_api.rows import make_article
from tests.news_api.service import Server, wait_for

Serve = Callable[..., Server]

BLOCKED = """
SELECT count(*) FROM pg_locks
WHERE NOT granted AND locktype = 'relation'
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def blocked(db: psycopg.Connection) -> int:
    """Return how many queries wait for a table of this database."""
    row = db.execute(BLOCKED).fetchone()
    assert row is not None
    return int(row[0])


def clients(valkey: Valkey, which: str = "LIST") -> list[dict[str, str]]:
    """Return the cache's connections, or our own one by `INFO`. Their ids only grow."""
    listed = valkey.execute("CLIENT", which)
    assert isinstance(listed, bytes)
    lines = listed.decode().splitlines()
    return [dict(field.partition("=")[::2] for field in line.split()) for line in lines]


def callers(valkey: Valkey, *, after: int) -> int:
    """Return how many threads of the service have asked the cache on connections since then.

    Each has one. Other tests' are in other databases, and who is but connected has not asked.
    """
    (ours,) = clients(valkey, "INFO")
    return sum(
        int(client["id"]) > after and client["db"] == ours["db"] and client["cmd"] in {"get", "set"}
        for client in clients(valkey)
    )


def age(valkey: Valkey) -> None:
    """Let the one answer in the cache have lost its freshness long ago."""
    keys = valkey.execute("KEYS", "news:page:*")
    assert isinstance(keys, list)
    (key,) = keys
    assert isinstance(key, bytes)
    kept = valkey.execute("GET", key)
    assert isinstance(kept, bytes)
    valkey.execute("SET", key, b"0:" + kept.partition(b":")[2])


def test_of_twenty_misses_at_once_one_asks_the_database(
    serve: Serve, db: psycopg.Connection, valkey: Valkey
) -> None:
    make_article(db, "Harbour")
    tasks = [serve(NEWS_CACHE_FRESH_SECONDS="600") for _ in range(3)]
    newest = max(int(client["id"]) for client in clients(valkey))

    def ask(number: int) -> httpx.Response:
        return tasks[number % len(tasks)].http.get("/v1/articles?q=harbour")

    with ThreadPoolExecutor(20) as pool:
        with db.transaction():
            db.execute("LOCK TABLE news_api_article")
            answers = [pool.submit(ask, number) for number in range(20)]
            wait_for(lambda: callers(valkey, after=newest) >= 20)
            wait_for(lambda: blocked(db) >= 1)
            asking = blocked(db)
        outcomes = Counter(answer.result().headers["X-Cache"] for answer in answers)

    assert asking == 1
    assert outcomes == {"miss": 1, "shared": 19}
    assert {answer.result().json()["items"][0]["title"] for answer in answers} == {"Harbour"}


def test_an_answer_past_its_freshness_is_served_while_one_request_renews_it(
    serve: Serve, db: psycopg.Connection, valkey: Valkey
) -> None:
    make_article(db, "Old news")
    server = serve(NEWS_CACHE_FRESH_SECONDS="600")
    server.http.get("/v1/articles")
    make_article(db, "New news", minutes=1)
    age(valkey)

    with ThreadPoolExecutor(1) as pool:
        with db.transaction():
            db.execute("LOCK TABLE news_api_article")
            renewing = pool.submit(server.http.get, "/v1/articles")
            wait_for(lambda: blocked(db) >= 1)
            meanwhile = server.http.get("/v1/articles")
        renewed = renewing.result()

    assert meanwhile.headers["X-Cache"] == "stale"
    assert [item["title"] for item in meanwhile.json()["items"]] == ["Old news"]
    assert renewed.headers["X-Cache"] == "miss"
    assert [item["title"] for item in renewed.json()["items"]] == ["New news", "Old news"]


def test_an_answer_that_came_just_before_the_lock_is_not_computed_again(valkey: Valkey) -> None:
    flight = _Flight(valkey, "query")
    take_lock = flight._take_lock

    def finish_first() -> bool:
        flight._keep(b"answer")
        return take_lock()

    flight._take_lock = finish_first  # type: ignore[method-assign]

    assert flight.land(never) == (b"answer", "shared")
    assert valkey.execute("GET", flight._lock) is None


def never() -> bytes:
    raise AssertionError("computed twice")


def test_two_versions_do_not_share_answers(serve: Serve, db: psycopg.Connection) -> None:
    old = serve(NEWS_CACHE_FRESH_SECONDS="600", APP_VERSION="1.4.0")
    new = serve(NEWS_CACHE_FRESH_SECONDS="600", APP_VERSION="1.4.1")

    outcomes = [task.http.get("/v1/articles").headers["X-Cache"] for task in (old, new, old)]

    assert outcomes == ["miss", "miss", "hit"]


def test_a_query_that_fails_does_not_leave_its_lock_behind(
    serve: Serve, db: psycopg.Connection
) -> None:
    make_article(db, "Harbour")
    server = serve(NEWS_CACHE_FRESH_SECONDS="600", NEWS_STATEMENT_TIMEOUT_MS="1000")
    with db.transaction():
        db.execute("LOCK TABLE news_api_article")
        failed = server.http.get("/v1/articles")

    answer = server.http.get("/v1/articles")

    assert failed.status_code == 503
    assert answer.headers["X-Cache"] == "miss"
