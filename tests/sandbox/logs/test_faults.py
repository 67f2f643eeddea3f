"""Faults show in the logs: as a flood of lines, a failed request, a longer time."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from sandbox import faults
from sandbox.logs.service import Logs


def test_a_flood_writes_as_many_lines_as_it_was_asked_for(store, ingestion):
    works = []
    logs = Logs(store, ingestion, works.append)

    logs.flood("/ecs/news-api", lines_per_second=200, seconds=0.6)
    asyncio.run(works[0])

    found = list(store.newest_first(store.groups(), (0, 2**62)))
    assert len(found) == 120
    assert found[0].time - found[-1].time == pytest.approx(595, abs=1)
    assert json.loads(found[0].message)["level"] == "ERROR"


def answer(environ, start_response):
    logging.getLogger("news_api.request").info("request", extra={"fields": {"milliseconds": 1.5}})
    start_response("200 OK", [])
    return [b""]


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, "news_api.request")
    slow = faults.Slow()
    logger = logging.getLogger("news_api.request")
    logger.addFilter(slow)
    yield lambda: [record.fields for record in caplog.records]
    logger.removeFilter(slow)


def test_a_request_that_a_fault_fails_is_in_the_log(lines):
    image = faults.Faulty(answer, {"error_rate": 1.0}, faults.Live.of_this_task())
    asked = {"REQUEST_METHOD": "GET", "PATH_INFO": "/v1/articles"}

    image(asked | {"HTTP_X_AMZN_TRACE_ID": "Root=1-a-b"}, lambda *_: None)

    (line,) = lines()
    assert (line["path"], line["status"], line["request_id"]) == ("/v1/articles", 500, "1-a-b")


def test_what_a_fault_waits_is_part_of_the_logged_time(lines):
    fault = {"slow_every": 2, "slow_seconds": 0.05}
    image = faults.Faulty(answer, fault, faults.Live.of_this_task())

    for _ in range(2):
        image({"PATH_INFO": "/v1/articles"}, lambda *_: None)

    fast, slow = (line["milliseconds"] for line in lines())
    assert fast < 50 < slow
