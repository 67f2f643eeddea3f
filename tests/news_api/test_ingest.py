from __future__ import annotations

import json
import time
from typing import Any

import psycopg

from news_api.back_off import back_off
from news_api.locks import Lock
from tests.news_api.feeds import FeedServer, item, rss
from tests.news_api.relay import Relay
from tests.news_api.service import PATIENCE_SECONDS, Service, wait_for


def sources(*urls: str) -> str:
    """Return NEWS_SOURCES for these feeds, named a, b, c…"""
    entries = zip("abcdef", urls, strict=False)
    return json.dumps([{"name": name, "kind": "rss", "url": url} for name, url in entries])


def ingest(service: Service, *urls: str, **variables: str) -> list[dict[str, Any]]:
    """Run one round and return its log lines."""
    done = service.run("ingest", NEWS_SOURCES=sources(*urls), **variables)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def reported(lines: list[dict[str, Any]], name: str) -> int:
    """Return what was counted in all: a run may see a full minute, and reports it by itself."""
    return sum(line.get(name, 0) for line in lines if "_aws" in line)


def titles(db: psycopg.Connection) -> list[str]:
    return [row[0] for row in db.execute("SELECT title FROM news_api_article ORDER BY title")]


def state(db: psycopg.Connection, name: str) -> dict[str, Any]:
    cursor = db.cursor(row_factory=psycopg.rows.dict_row)
    row = cursor.execute("SELECT * FROM news_api_source WHERE name = %s", [name]).fetchone()
    assert row is not None
    return row


def test_a_dead_source_is_noted_and_the_others_go_on(
    service: Service, db: psycopg.Connection, feeds: FeedServer
) -> None:
    good = feeds.serve("/good", rss(item("Harbour", "https://wire.example/h")))
    broken = feeds.serve("/broken", status=500)
    nonsense = feeds.serve("/nonsense", b"\x00<not a feed")
    huge = feeds.serve("/huge", b"x" * 3_000_000)

    lines = ingest(service, "http://127.0.0.1:1/dead", broken, nonsense, huge, good)

    assert titles(db) == ["Harbour"]
    assert "ConnectError" in state(db, "a")["last_error"]
    assert state(db, "b")["last_error"] == "the source answered HTTP 500"
    assert state(db, "c")["last_error"] == "the source did not send a feed"
    assert "more than 2 MiB" in state(db, "d")["last_error"]
    assert state(db, "e")["last_error"] == ""
    assert (reported(lines, "SourceFailures"), reported(lines, "ArticlesInserted")) == (4, 1)


def test_a_failing_source_rests_longer_each_time_and_recovers_at_once(
    service: Service, db: psycopg.Connection, feeds: FeedServer
) -> None:
    url = feeds.serve("/feed", status=503)
    ingest(service, url)
    ingest(service, url)
    failing = state(db, "a")

    feeds.serve("/feed", rss())
    ingest(service, url)

    assert failing["consecutive_failures"] == 2
    assert failing["next_attempt_at"] - failing["last_attempt_at"] == back_off(2)
    recovered = state(db, "a")
    assert (recovered["consecutive_failures"], recovered["last_error"]) == (0, "")
    assert recovered["last_success_at"] == recovered["last_attempt_at"]


def test_the_same_story_under_many_links_is_stored_once(
    service: Service, db: psycopg.Connection, feeds: FeedServer
) -> None:
    plain = feeds.serve("/a", rss(item("Harbour", "https://wire.example/h?a=1&amp;b=2")))
    decorated = "https://WIRE.example/h?utm_source=rss&amp;b=2&amp;a=1#top"
    twice = feeds.serve("/b", rss(item("Harbour", decorated), item("Harbour", decorated)))

    ingest(service, plain, twice)

    rows = db.execute(
        "SELECT a.url, s.name FROM news_api_article a JOIN news_api_source s ON s.id = source_id"
    ).fetchall()
    assert rows == [("https://wire.example/h?a=1&b=2", "a")]


def test_an_unchanged_feed_writes_nothing(
    service: Service, db: psycopg.Connection, feeds: FeedServer
) -> None:
    url = feeds.serve("/feed", rss(item("Harbour", "https://wire.example/h")))
    ingest(service, url)
    before = db.execute("SELECT xmin, * FROM news_api_article").fetchall()

    lines = ingest(service, url)

    assert db.execute("SELECT xmin, * FROM news_api_article").fetchall() == before
    read = next(line for line in lines if line["message"] == "source read")
    assert (read["inserted"], read["updated"]) == (0, 0)


def test_a_corrected_headline_is_taken_over_but_keeps_its_place(
    service: Service, db: psycopg.Connection, feeds: FeedServer
) -> None:
    url = feeds.serve("/feed", rss(item("Harbor", "https://wire.example/h")))
    ingest(service, url)
    published = db.execute("SELECT published_at FROM news_api_article").fetchall()

    later = "Sat, 21 Nov 2026 18:00:00 GMT"
    feeds.serve("/feed", rss(item("Harbour", "https://wire.example/h", published=later)))
    ingest(service, url)

    assert titles(db) == ["Harbour"]
    assert db.execute("SELECT published_at FROM news_api_article").fetchall() == published


def test_a_source_is_asked_again_only_for_what_changed(
    service: Service, db: psycopg.Connection, feeds: FeedServer
) -> None:
    url = feeds.serve("/feed", rss(item("Harbour", "https://wire.example/h")), ETag='"v1"')
    ingest(service, url)
    feeds.serve("/feed", status=304)

    ingest(service, url)

    assert feeds.requests[1][1]["If-None-Match"] == '"v1"'
    assert state(db, "a")["etag"] == '"v1"'
    assert state(db, "a")["consecutive_failures"] == 0
    assert titles(db) == ["Harbour"]


def test_hostile_items_are_stored_harmless_or_not_at_all(
    service: Service, db: psycopg.Connection, feeds: FeedServer
) -> None:
    script = "&lt;script&gt;alert(1)&lt;/script&gt;"
    url = feeds.serve(
        "/feed",
        rss(
            item(f"Cheap{script}", "https://wire.example/1", f"{script}Text&#0;&#x202e;"),
            item("Click", "javascript:alert(1)"),
            item("x" * 10_000, "https://wire.example/2", "y " * 10_000),
            item("'; DROP TABLE news_api_article; --", "https://wire.example/3"),
        ),
    )

    ingest(service, url)

    rows = db.execute("SELECT title, summary FROM news_api_article ORDER BY url").fetchall()
    assert rows[0] == ("Cheap", "Text")
    assert len(rows[1][0]) == 300
    assert len(rows[1][1]) <= 2000
    assert rows[2][0].startswith("'; DROP TABLE")
    assert len(rows) == 3


def test_old_articles_are_forgotten_and_not_taken_again(
    service: Service, db: psycopg.Connection, feeds: FeedServer
) -> None:
    ancient = item("Ancient", "https://wire.example/1", published="Tue, 01 Jan 2019 00:00:00 GMT")
    url = feeds.serve(
        "/feed", rss(ancient, item("Harbour", "https://wire.example/h", published=""))
    )
    ingest(service, url, NEWS_KEEP_DAYS="90")
    db.execute(
        "INSERT INTO news_api_article (url, source_id, title, summary, language, published_at)"
        " SELECT 'https://wire.example/o', id, 'Old', '', 'en', now() - interval '91 days'"
        " FROM news_api_source"
    )

    ingest(service, url, NEWS_KEEP_DAYS="90")

    assert titles(db) == ["Harbour"]


def test_a_source_that_leaves_the_configuration_rests_and_may_return(
    service: Service, db: psycopg.Connection, feeds: FeedServer
) -> None:
    stays, leaves = feeds.serve("/stays", rss()), feeds.serve("/leaves", rss())
    ingest(service, stays, leaves)

    ingest(service, stays)
    while_away = state(db, "b")["enabled"]
    ingest(service, stays, leaves)

    assert while_away is False
    assert state(db, "b")["enabled"] is True
    assert feeds.asked("/leaves") == 2


def test_a_source_whose_articles_the_database_refuses_does_not_stop_the_others(
    service: Service, db: psycopg.Connection, feeds: FeedServer
) -> None:
    bad = feeds.serve("/bad", rss(item("Unwanted", "https://wire.example/1")))
    good = feeds.serve("/good", rss(item("Harbour", "https://wire.example/h")))
    db.execute("ALTER TABLE news_api_article ADD CONSTRAINT test CHECK (title <> 'Unwanted')")

    ingest(service, bad, good)

    db.execute("ALTER TABLE news_api_article DROP CONSTRAINT test")
    assert titles(db) == ["Harbour"]
    assert state(db, "a")["last_error"] == "the source's articles could not be stored"


def test_the_endless_ingest_outlives_an_outage_of_the_database(
    service: Service, db: psycopg.Connection, feeds: FeedServer, database_relay: tuple[Relay, str]
) -> None:
    relay, url = database_relay
    feed = feeds.serve("/feed", rss(item("Harbour", "https://wire.example/h")))
    process = service.start(
        "ingest",
        "--forever",
        "--every",
        "0.05",
        NEWS_DATABASE_URL=url,
        NEWS_SOURCES=sources(feed),
    )
    try:
        wait_for(lambda: feeds.asked("/feed") >= 1)
        relay.cut()
        wait_for(lambda: "the database failed" in process.output.read_text())
        relay.mend()
        before = feeds.asked("/feed")
        wait_for(lambda: feeds.asked("/feed") > before)
        status = process.stop()
    finally:
        process.kill()

    assert status == 0
    assert titles(db) == ["Harbour"]


def test_a_second_ingest_leaves_the_round_to_the_first(
    service: Service, db: psycopg.Connection, feeds: FeedServer
) -> None:
    url = feeds.serve("/feed", rss(item("Harbour", "https://wire.example/h")))
    db.execute("SELECT pg_advisory_lock(%s)", [int(Lock.INGEST)])

    lines = ingest(service, url)

    assert [line["message"] for line in lines if "message" in line] == [
        "another ingest is running; leaving this round to it"
    ]
    assert feeds.requests == []


def test_a_mistake_in_the_sources_is_told_and_nothing_is_touched(
    service: Service, db: psycopg.Connection
) -> None:
    done = service.run("ingest", NEWS_SOURCES='[{"name": "Bad Name"}]')

    assert done.returncode == 1
    assert done.stderr == "NEWS_SOURCES: 'Bad Name' is not a name (a-z, 0-9, -)\n"
    assert db.execute("SELECT count(*) FROM news_api_source").fetchone() == (0,)


def test_the_endless_ingest_goes_round_and_stops_between_two_sources(
    service: Service, db: psycopg.Connection, feeds: FeedServer
) -> None:
    first = feeds.serve("/first", rss(item("Harbour", "https://wire.example/h")))
    second = feeds.serve("/second", rss(item("Tides", "https://wire.example/t")))
    process = service.start(
        "ingest", "--forever", "--every", "0.05", NEWS_SOURCES=sources(first, second)
    )
    try:
        wait_for(lambda: feeds.asked("/second") >= 2)
        held = feeds.handlers["/first"]
        feeds.handle(
            "/first", lambda request: (process.terminate(), time.sleep(0.3), held(request))
        )

        status = process.popen.wait(PATIENCE_SECONDS)
    finally:
        process.kill()

    assert status == 0
    assert [path for path, _ in feeds.requests][-1] == "/first"
    assert state(db, "a")["consecutive_failures"] == 0
    assert {metric["Service"] for metric in process.metrics()} == {"news-ingest"}
    assert reported(process.metrics(), "IngestRounds") >= 1


def test_the_endless_ingest_leaves_a_failing_source_alone(
    service: Service, feeds: FeedServer
) -> None:
    good, bad = feeds.serve("/good", rss()), feeds.serve("/bad", status=500)
    process = service.start(
        "ingest", "--forever", "--every", "0.05", NEWS_SOURCES=sources(bad, good)
    )
    try:
        wait_for(lambda: feeds.asked("/good") >= 4)
        process.stop()
    finally:
        process.kill()

    assert feeds.asked("/bad") == 1
