"""Rows that a test needs, one line each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def make_source(db: psycopg.Connection, name: str = "wire") -> int:
    """Insert a source and return its id."""
    row = db.execute(
        "INSERT INTO news_api_source (name, kind, url, language, enabled, etag, last_modified,"
        " last_error, consecutive_failures) VALUES (%s, 'rss', 'http://wire.example/', 'en', true,"
        " '', '', '', 0) ON CONFLICT (name) DO UPDATE SET enabled = true RETURNING id",
        [name],
    ).fetchone()
    assert row is not None
    return int(row[0])


def make_article(
    db: psycopg.Connection,
    title: str,
    *,
    summary: str = "",
    minutes: float = 0,
    source: str = "wire",
) -> int:
    """Insert an article published so many minutes after noon; returns its id."""
    row = db.execute(
        "INSERT INTO news_api_article (url, source_id, title, summary, language, published_at)"
        " VALUES ('https://wire.example/' || gen_random_uuid(), %s, %s, %s, 'en', %s) RETURNING id",
        [make_source(db, source), title, summary, NOON + timedelta(minutes=minutes)],
    ).fetchone()
    assert row is not None
    return int(row[0])
