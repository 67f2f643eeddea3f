from __future__ import annotations

import json
from typing import Any

import httpx
import psycopg
import pytest

from tests.news_api.rows import make_article, make_source
from tests.news_api.service import Server


def titles(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [article["title"] for article in answer.json()["items"]]


def read_pages(server: Server, between: Any = lambda: None, **query: Any) -> list[str]:
    """Return the titles of all pages, doing something between them."""
    found: list[str] = []
    cursor = ""
    while True:
        page = server.http.get("/v1/articles", params={**query, "cursor": cursor})
        found += titles(page)
        cursor = page.json()["next_cursor"]
        if cursor is None:
            return found
        between()


def check_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    return problem


def test_the_newest_article_comes_first_with_all_it_has(
    server: Server, db: psycopg.Connection
) -> None:
    make_article(db, "Older")
    newest = make_article(db, "Newer", summary="Text", minutes=1)

    answer = server.http.get("/v1/articles")

    assert titles(answer) == ["Newer", "Older"]
    article = answer.json()["items"][0]
    assert article == {
        "id": newest,
        "url": article["url"],
        "title": "Newer",
        "summary": "Text",
        "source": "wire",
        "language": "en",
        "published_at": "2026-11-20T12:01:00Z",
    }
    assert server.http.get(f"/v1/articles/{newest}").json() == article


def test_a_search_finds_word_forms_and_all_words(server: Server, db: psycopg.Connection) -> None:
    make_article(db, "Boats leave the harbour")
    make_article(db, "Weather", summary="A boat was lost", minutes=1)
    make_article(db, "Budget")

    def search(words: str) -> list[str]:
        return titles(server.http.get("/v1/articles", params={"q": words}))

    assert search("boat") == ["Weather", "Boats leave the harbour"]
    assert search("boat harbours") == ["Boats leave the harbour"]
    assert search("boat -lost") == ["Boats leave the harbour"]
    assert search('"leave the harbour"') == ["Boats leave the harbour"]
    assert search("submarine") == []


@pytest.mark.parametrize("words", ["'", '"', "a & | !", ":*", "-", "%", "\\", "(", "💥", "the"])
def test_no_search_words_are_an_error(server: Server, db: psycopg.Connection, words: str) -> None:
    make_article(db, "Harbour")

    assert server.http.get("/v1/articles", params={"q": words}).status_code == 200


def test_a_search_uses_the_full_text_index(server: Server, db: psycopg.Connection) -> None:
    source = make_source(db)
    db.execute(
        "INSERT INTO news_api_article (url, source_id, title, summary, language, published_at)"
        " SELECT 'https://wire.example/' || n, %s, 'title' || n, '', 'en', now()"
        " FROM generate_series(1, 5000) AS n",
        [source],
    )
    db.execute("ANALYZE news_api_article")

    plan = "\n".join(
        line
        for (line,) in db.execute(
            "EXPLAIN SELECT id FROM news_api_article"
            " WHERE search @@ websearch_to_tsquery('english', 'title77')"
        )
    )

    assert "article_search" in plan
    assert titles(server.http.get("/v1/articles", params={"q": "title77"})) == ["title77"]


def test_articles_are_filtered_by_source_and_time(server: Server, db: psycopg.Connection) -> None:
    make_article(db, "Wire early")
    make_article(db, "Wire late", minutes=10)
    make_article(db, "Post late", minutes=11, source="post")

    def ask(**query: str) -> list[str]:
        return titles(server.http.get("/v1/articles", params=query))

    assert ask(source="wire") == ["Wire late", "Wire early"]
    assert ask(since="2026-11-20T12:05:00Z") == ["Post late", "Wire late"]
    assert ask(since="2026-11-20T14:10:00+02:00", source="wire") == ["Wire late"]
    assert ask(source="nobody") == []


def test_pages_show_every_article_once(server: Server, db: psycopg.Connection) -> None:
    for number in range(7):
        make_article(db, f"No {number}", minutes=number // 3)

    found = read_pages(server, limit=2)

    assert found == [f"No {number}" for number in (6, 5, 4, 3, 2, 1, 0)]


def test_pages_stay_in_place_while_articles_arrive(server: Server, db: psycopg.Connection) -> None:
    before = [
        make_article(db, f"No {number}", minutes=number) and f"No {number}" for number in range(9)
    ]
    arrivals = iter(range(100))

    def arrive() -> None:
        number = next(arrivals)
        make_article(db, f"Newest {number}", minutes=1000 + number)
        make_article(db, f"Between {number}", minutes=number * 2 + 0.5)

    found = read_pages(server, arrive, limit=2)

    assert len(found) == len(set(found))
    assert [title for title in found if title.startswith("No")] == before[::-1]


def test_pages_of_a_search_keep_to_the_search(server: Server, db: psycopg.Connection) -> None:
    for number in range(5):
        make_article(db, f"Boat {number}", minutes=number)
        make_article(db, f"Car {number}", minutes=number)

    assert read_pages(server, limit=2, q="boat") == [f"Boat {n}" for n in (4, 3, 2, 1, 0)]


def test_the_last_page_may_be_exactly_full(server: Server, db: psycopg.Connection) -> None:
    for number in range(4):
        make_article(db, f"No {number}", minutes=number)

    assert server.http.get("/v1/articles?limit=4").json()["next_cursor"] is None


def test_a_cursor_of_another_search_is_refused(server: Server, db: psycopg.Connection) -> None:
    for number in range(3):
        make_article(db, f"Boat {number}")
    cursor = server.http.get("/v1/articles?q=boat&limit=1").json()["next_cursor"]

    refused = server.http.get("/v1/articles", params={"q": "car", "cursor": cursor})

    assert "not valid for this query" in check_problem(refused, 400)["detail"]


@pytest.mark.parametrize("cursor", ["x", "!!!", "AAAA", "A" * 38, "%00", "ü"])
def test_a_cursor_that_is_not_ours_is_refused(server: Server, cursor: str) -> None:
    answer = server.http.get(f"/v1/articles?cursor={cursor}")

    assert "cursor" in check_problem(answer, 400)["detail"].lower()


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("since=yesterday", "since"),
        ("since=2026-11-20T12:00:00", "since"),
        ("source=../etc", "source"),
        ("q=" + "x" * 201, "q"),
        ("q=%00", "q"),
        ("cursor=" + "x" * 101, "cursor"),
    ],
)
def test_a_bad_parameter_is_named(server: Server, query: str, parameter: str) -> None:
    problem = check_problem(server.http.get(f"/v1/articles?{query}"), 422)

    assert [error["parameter"] for error in problem["errors"]] == [parameter]
    assert problem["detail"].startswith(f"{parameter}: ")


@pytest.mark.parametrize("path", ["/v1/articles/404", "/v1/articles/1/more", "/v2", "/"])
def test_what_is_not_there_is_a_404(server: Server, path: str) -> None:
    check_problem(server.http.get(path), 404)


@pytest.mark.parametrize("identifier", ["0", "-1", "one", str(2**63)])
def test_what_cannot_be_an_id_is_named(server: Server, identifier: str) -> None:
    problem = check_problem(server.http.get(f"/v1/articles/{identifier}"), 422)

    assert problem["errors"][0]["parameter"] == "article_id"


def test_writing_is_not_offered(server: Server) -> None:
    assert server.http.post("/v1/articles", json={}).status_code == 405


def test_the_sources_tell_how_they_fare(server: Server, db: psycopg.Connection) -> None:
    for name in ("ok", "failing", "new", "gone"):
        make_source(db, name)
    db.execute("UPDATE news_api_source SET last_success_at = now() WHERE name IN ('ok', 'failing')")
    db.execute("UPDATE news_api_source SET consecutive_failures = 3 WHERE name = 'failing'")
    db.execute("UPDATE news_api_source SET enabled = false WHERE name = 'gone'")

    items = server.http.get("/v1/sources").json()["items"]

    assert [(item["name"], item["status"]) for item in items] == [
        ("failing", "failing"),
        ("new", "new"),
        ("ok", "ok"),
    ]


def test_an_unchanged_answer_is_not_sent_again(server: Server, db: psycopg.Connection) -> None:
    make_article(db, "Harbour")
    tag = server.http.get("/v1/articles").headers["ETag"]

    answer = server.http.get("/v1/articles", headers={"If-None-Match": tag})

    assert answer.status_code == 304
    assert answer.content == b""


def test_the_api_describes_itself(server: Server) -> None:
    described = json.loads(server.http.get("/openapi.json").text)

    assert set(described["paths"]) == {"/v1/articles", "/v1/articles/{article_id}", "/v1/sources"}
    assert "ArticlePage" in described["components"]["schemas"]
    assert "X-API-Key" in json.dumps(described["components"]["securitySchemes"])
