from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg

from tests.news_api.rows import make_article
from tests.news_api.service import PATIENCE_SECONDS, Server, wait_for
from tests.news_api.test_metrics import check_embedded_metric
from tests.news_api.test_stampede import blocked

Serve = Callable[..., Server]


def test_a_slow_request_in_flight_is_finished_before_the_task_ends(
    serve: Serve, db: psycopg.Connection
) -> None:
    make_article(db, "Harbour")
    server = serve(GUNICORN_CMD_ARGS=f"--graceful-timeout={PATIENCE_SECONDS}")
    url = server.http.base_url.join("/v1/articles")
    with ThreadPoolExecutor(1) as pool:
        with db.transaction():
            db.execute("LOCK TABLE news_api_article")
            slow = pool.submit(httpx.get, url, timeout=PATIENCE_SECONDS)
            wait_for(lambda: blocked(db) == 1)
            server.process.terminate()
            wait_for(lambda: refuses(url))
        answer = slow.result()

    assert answer.status_code == 200
    assert answer.json()["items"][0]["title"] == "Harbour"
    assert server.process.popen.wait(PATIENCE_SECONDS) == 0


def refuses(url: httpx.URL) -> bool:
    """Tell whether the task takes no new connections any more."""
    try:
        httpx.get(url.join("/healthz"), timeout=0.5)
    except httpx.TransportError:
        return True
    return False


def test_the_unfinished_minute_is_reported_at_the_end(serve: Serve, db: psycopg.Connection) -> None:
    server = serve(NEWS_ENVIRONMENT="staging")
    for path in ("/v1/articles", "/v1/sources", "/v1/articles/404", "/healthz"):
        server.http.get(path)
    db.execute("ALTER TABLE news_api_source RENAME TO mislaid")
    broken = server.http.get("/v1/sources")
    db.execute("ALTER TABLE mislaid RENAME TO news_api_source")

    server.http.close()
    status = server.process.stop()

    assert (broken.status_code, status) == (500, 0)
    reported = server.process.metrics()
    for document in reported:
        check_embedded_metric(document)
    totals = {
        name: sum(document.get(name, 0) for document in reported)
        for name in ("Requests", "Errors", "ClientErrors", "CacheMisses")
    }
    assert totals == {"Requests": 4, "Errors": 1, "ClientErrors": 1, "CacheMisses": 2}
    latencies = [value for document in reported for value in document.get("Latency", [])]
    assert len(latencies) == 4
    assert min(latencies) > 0
    assert reported[0]["Service"] == "news-api"
    assert reported[0]["Environment"] == "staging"
    assert reported[0]["Version"] == "1.4.0"


def test_every_line_a_task_writes_is_json(serve: Serve) -> None:
    server = serve(NEWS_LOG_LEVEL="DEBUG")
    server.http.get("/v1/articles?limit=0")
    server.http.close()

    server.process.stop()

    messages = [line.get("message", "") for line in server.process.lines()]
    assert any(message.startswith("Starting gunicorn") for message in messages)
