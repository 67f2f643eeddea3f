"""Read one source, whatever its kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import httpx

from news_api.sources import feed, guardian, newsapi
from news_api.sources.article import Article, SourceFailed
from news_api.sources.catalog import SourceEntry
from news_api.sources.fetch import Fetched, fetch


@dataclass(frozen=True)
class Reading:
    """What a source had: its articles, none if unchanged, and validators for the next time."""

    articles: list[Article]
    etag: str
    last_modified: str


@dataclass(frozen=True)
class Reader:
    """Reads sources with one HTTP client and the keys of those that ask for one."""

    client: httpx.Client
    newsapi_key: str
    guardian_key: str

    def read(self, source: SourceEntry, *, etag: str, last_modified: str, at: datetime) -> Reading:
        """Return what is new. Raises SourceFailed."""
        validators = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        headers = {name: value for name, value in validators.items() if value}
        fetched, articles = self._by_kind(source)(source, headers, at)
        return Reading(articles, fetched.etag or etag, fetched.last_modified or last_modified)

    def _by_kind(self, source: SourceEntry) -> _Read:
        kinds: dict[str, _Read] = {
            "rss": self._rss,
            "newsapi": self._newsapi,
            "guardian": self._guardian,
        }
        return kinds[source.kind]

    def _rss(
        self, source: SourceEntry, headers: dict[str, str], at: datetime
    ) -> tuple[Fetched, list[Article]]:
        fetched = fetch(self.client, source.url, headers)
        if fetched.unchanged:
            return fetched, []
        return fetched, feed.parse(
            fetched.body,
            url=source.url,
            content_type=fetched.content_type,
            language=source.language,
            at=at,
        )

    def _newsapi(
        self, source: SourceEntry, headers: dict[str, str], at: datetime
    ) -> tuple[Fetched, list[Article]]:
        key = _required(self.newsapi_key, "NEWSAPI_KEY")
        fetched = fetch(self.client, source.url, {**headers, **newsapi.headers(key)})
        if fetched.unchanged:
            return fetched, []
        return fetched, newsapi.parse(fetched.body, language=source.language, at=at)

    def _guardian(
        self, source: SourceEntry, headers: dict[str, str], at: datetime
    ) -> tuple[Fetched, list[Article]]:
        key = _required(self.guardian_key, "GUARDIAN_KEY")
        fetched = fetch(self.client, guardian.address(source.url, key), headers)
        if fetched.unchanged:
            return fetched, []
        return fetched, guardian.parse(fetched.body, language=source.language, at=at)


_Read = Callable[[SourceEntry, dict[str, str], datetime], tuple[Fetched, list[Article]]]


def _required(key: str, variable: str) -> str:
    if not key:
        raise SourceFailed(f"{variable} is not set")
    return key
