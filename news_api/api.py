"""The public API, version 1."""

from __future__ import annotations

import json
import logging
from datetime import UTC
from typing import Annotated

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from ninja import Field, NinjaAPI, Path, Query, Router, Schema
from ninja.errors import HttpError, ValidationError
from pydantic import AwareDatetime, field_validator

from news_api import cache, cursor, problems, queries, settings
from news_api.access import Gate
from news_api.metrics import aggregator
from news_api.problems import Problem
from news_api.schemas import ArticleOut, ArticlePage, SourceList

MAX_ID = 2**63 - 1

_log = logging.getLogger(__name__)

api = NinjaAPI(title="News API", version="1", openapi_url="/openapi.json", docs_url=None)
v1 = Router(auth=Gate(), tags=["news"])


class PageParams(Schema):
    """Parameters of a page of articles."""

    q: str = Field("", max_length=200, pattern=r"^[^\x00]*$", description="words to search for")
    source: str = Field("", max_length=63, pattern=r"^[a-z0-9-]*$")
    since: AwareDatetime | None = Field(None, description="earliest publication, with time zone")
    cursor: str = Field("", max_length=100, description="next_cursor of the page before")
    limit: int = Field(20, ge=1, le=100)

    @field_validator("q")
    @classmethod
    def _one_space(cls, words: str) -> str:
        return " ".join(words.split())

    def query(self) -> str:
        """Name the query without its page: what a cursor is valid for."""
        since = self.since.astimezone(UTC).isoformat() if self.since else ""
        return json.dumps([self.q, self.source, since])


@v1.get("/articles", response=ArticlePage)
def list_articles(request: HttpRequest, params: Query[PageParams]) -> HttpResponse:
    """Articles, newest first."""
    secret = settings.SECRET_KEY
    after = None
    if params.cursor:
        after = cursor.decode(params.cursor, query=params.query(), secret=secret)

    def compute() -> bytes:
        wanted = queries.Filter(words=params.q, source=params.source, since=params.since)
        articles, end = queries.page(wanted, after=after, limit=params.limit)
        following = cursor.encode(end, query=params.query(), secret=secret) if end else None
        return ArticlePage(items=articles, next_cursor=following).model_dump_json().encode()

    return _answer(f"articles {params.query()} {params.cursor} {params.limit}", compute)


@v1.get("/articles/{article_id}", response=ArticleOut)
def read_article(
    request: HttpRequest, article_id: Annotated[int, Path(ge=1, le=MAX_ID)]
) -> HttpResponse:
    """One article."""
    article = queries.article(article_id)
    if article is None:
        raise Problem(404, f"There is no article {article_id}.")
    return _json(article.model_dump_json().encode())


@v1.get("/sources", response=SourceList)
def list_sources(request: HttpRequest) -> HttpResponse:
    """Where articles come from, and whether fetching works."""

    def compute() -> bytes:
        return SourceList(items=queries.sources()).model_dump_json().encode()

    return _answer("sources", compute)


def _answer(query: str, compute: cache.Compute) -> HttpResponse:
    body, outcome = cache.answer(query, compute)
    computed = outcome in {"miss", "bypass"}
    aggregator.count(CacheHits=int(not computed), CacheMisses=int(computed))
    response = _json(body)
    response["X-Cache"] = outcome
    response["Cache-Control"] = f"private, max-age={settings.NEWS_CACHE_FRESH_SECONDS}"
    return response


def _json(body: bytes) -> HttpResponse:
    return HttpResponse(body, content_type="application/json")


api.add_router("/v1", v1)


@api.exception_handler(Problem)
def _problem(request: HttpRequest, error: Problem) -> HttpResponse:
    return problems.response(error.status, error.detail, headers=error.headers)


@api.exception_handler(cursor.BadCursor)
def _bad_cursor(request: HttpRequest, error: cursor.BadCursor) -> HttpResponse:
    return problems.response(400, str(error))


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    faults = [{"parameter": str(item["loc"][-1]), "message": item["msg"]} for item in error.errors]
    told = "; ".join(f"{fault['parameter']}: {fault['message']}" for fault in faults)
    return problems.response(422, told, errors=faults)


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return problems.response(error.status_code, str(error))


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
def _database_away(request: HttpRequest, error: Exception) -> HttpResponse:
    _log.error("the database did not answer", exc_info=error)
    detail = "The article store is not available; try again shortly."
    return problems.response(503, detail, headers={"Retry-After": "5"})


@api.exception_handler(Exception)
def _unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    _log.error("unexpected error", exc_info=error)
    return problems.response(500, "Something went wrong on our side.")
