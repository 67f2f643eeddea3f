from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from news_api.sources import guardian, newsapi
from news_api.sources.article import Article, SourceFailed
from news_api.sources.catalog import SourceEntry
from news_api.sources.fetch import make_client
from news_api.sources.reader import Reader
from tests.news_api.feeds import FeedServer

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

NEWSAPI_ANSWER = {
    "status": "ok",
    "totalResults": 2,
    "articles": [
        {
            "source": {"id": None, "name": "Wire"},
            "author": None,
            "title": "Harbour reopens",
            "description": "<p>Boats sail</p>",
            "url": "https://wire.example/harbour?utm_campaign=x",
            "publishedAt": "2026-11-21T09:00:00Z",
            "content": None,
        },
        {"title": "[Removed]", "url": "https://removed.example", "publishedAt": "x"},
        {"title": None, "url": None},
        "not an article",
    ],
}

GUARDIAN_ANSWER = {
    "response": {
        "status": "ok",
        "total": 1,
        "results": [
            {
                "id": "world/2026/nov/21/tides",
                "type": "article",
                "webPublicationDate": "2026-11-21T08:00:00Z",
                "webTitle": "Tides turn",
                "webUrl": "https://www.theguardian.example/world/tides",
                "fields": {"trailText": "High <strong>water</strong>"},
            },
            {"webTitle": "No fields", "webUrl": "https://www.theguardian.example/b"},
        ],
    }
}


@pytest.fixture
def reader() -> Iterator[Reader]:
    with make_client() as client:
        yield Reader(client, newsapi_key="news-secret", guardian_key="guardian-secret")


def read(reader: Reader, kind: str, url: str) -> list[Article]:
    entry = SourceEntry("source", kind, url, "en")
    return reader.read(entry, etag="", last_modified="", at=NOW).articles


def test_newsapi_gets_its_key_in_a_header_and_gives_articles(
    feeds: FeedServer, reader: Reader
) -> None:
    url = feeds.serve("/v2/everything", json.dumps(NEWSAPI_ANSWER))

    articles = read(reader, "newsapi", url + "?q=harbour")

    assert [article.title for article in articles] == ["Harbour reopens"]
    assert articles[0].url == "https://wire.example/harbour"
    assert articles[0].summary == "Boats sail"
    assert articles[0].published_at == datetime(2026, 11, 21, 9, tzinfo=UTC)
    asked, headers = feeds.requests[0]
    assert asked == "/v2/everything?q=harbour"
    assert headers["X-Api-Key"] == "news-secret"


def test_the_guardian_gets_its_key_in_the_query_and_gives_articles(
    feeds: FeedServer, reader: Reader
) -> None:
    url = feeds.serve("/search", json.dumps(GUARDIAN_ANSWER))

    articles = read(reader, "guardian", url + "?q=sea&page-size=10")

    assert [article.title for article in articles] == ["Tides turn", "No fields"]
    assert articles[0].summary == "High water"
    assert articles[1].published_at == NOW
    asked = parse_qs(urlsplit(feeds.requests[0][0]).query)
    assert asked["api-key"] == ["guardian-secret"]
    assert asked["q"] == ["sea"]
    assert asked["page-size"] == ["10"]
    assert asked["show-fields"] == ["trailText"]


@pytest.mark.parametrize(
    ("kind", "variable"), [("newsapi", "NEWSAPI_KEY"), ("guardian", "GUARDIAN_KEY")]
)
def test_without_a_key_the_source_fails_and_says_which_is_missing(
    feeds: FeedServer, kind: str, variable: str
) -> None:
    with make_client() as client, pytest.raises(SourceFailed, match=variable):
        read(Reader(client, newsapi_key="", guardian_key=""), kind, feeds.url)
    assert feeds.requests == []


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{}", b'{"articles": 1}', b'{"response": []}', b"[" * 100_000]
)
@pytest.mark.parametrize("adapter", [newsapi, guardian])
def test_an_answer_of_another_shape_is_refused(adapter: object, body: bytes) -> None:
    with pytest.raises(SourceFailed):
        adapter.parse(body, language="en", at=NOW)  # type: ignore[attr-defined]
