"""What is kept of logs: bounds, retention, files followed, metrics published."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sandbox import clock, faults
from sandbox.cloudwatch.metrics import Metric
from sandbox.cloudwatch.service import CloudWatch
from sandbox.logs.ingestion import Ingestion
from sandbox.logs.metric_filters import Filter, Filters
from sandbox.logs.service import Logs
from sandbox.logs.store import DAY_MS, EVENT_OVERHEAD, Store
from sandbox.logs.tailing import FREED_BYTES, Follower, freed
from sandbox.state import State

NOW = int(time.time() * 1000)
MINUTE = NOW // 60_000
KNOWN = {"t1": ("/ecs/news-api", "web/news-api/t1")}


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "logs.sqlite", group_bytes=400_000)
    yield store
    store.close()


@pytest.fixture
def filters(tmp_path):
    state = State(tmp_path / "state.sqlite")
    yield Filters(state)
    state.close()


@pytest.fixture
def cloudwatch(tmp_path):
    cloudwatch = CloudWatch(tmp_path, datetime.now(UTC) - timedelta(days=1))
    yield cloudwatch
    cloudwatch.close()


@pytest.fixture
def ingestion(store, filters, cloudwatch):
    return Ingestion(store, filters, cloudwatch)


@pytest.fixture
def group(store):
    group = store.create_group("/ecs/news-api", NOW)
    store.create_stream(group, "web/1", NOW)
    return group


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "logs").mkdir()
    return tmp_path / "logs"


def messages(store, name="/ecs/news-api"):
    found = store.newest_first([store.group(name)], (0, 2**62))
    return [event.message for event in found][::-1]


def test_a_full_group_drops_its_oldest_events(store, group):
    for number in range(120):
        batch = [(NOW + number, f"{number:03d}{'x' * 971}") for _ in range(5)]
        store.append(group, "web/1", batch, NOW)

    kept = messages(store)
    assert kept[-1].startswith("119")
    assert group.bytes == len(kept) * (974 + EVENT_OVERHEAD) <= 400_000


def test_events_expire_with_the_retention_of_their_group(store, group):
    store.append(group, "web/1", [(NOW - 2 * DAY_MS, "old"), (NOW, "new")], NOW)
    group.retention = 1
    store.save_group(group)

    store.expire(NOW)

    assert messages(store) == ["new"]
    assert group.bytes == 3 + EVENT_OVERHEAD


def test_a_deleted_stream_takes_its_bytes_with_it(store, group):
    store.create_stream(group, "web/2", NOW)
    store.append(group, "web/1", [(NOW, "one")], NOW)
    store.append(group, "web/2", [(NOW, "other")], NOW)

    store.delete_stream(group, store.stream(group, "web/2"))

    assert messages(store) == ["one"]
    assert group.bytes == 3 + EVENT_OVERHEAD


def test_logs_are_there_after_a_restart(tmp_path, store, group):
    group.retention = 7
    store.save_group(group)
    store.append(group, "web/1", [(NOW, "kept")], NOW)

    again = Store(tmp_path / "logs.sqlite")

    assert messages(again) == ["kept"]
    assert again.group(group.name) == group
    again.close()


def test_several_groups_are_read_as_one_newest_first(store, group):
    other = store.create_group("/other", NOW)
    store.create_stream(other, "s", NOW)
    store.append(group, "web/1", [(NOW, "1"), (NOW + 2, "3")], NOW)
    store.append(other, "s", [(NOW + 1, "2"), (NOW + 3, "4")], NOW)

    found = store.newest_first([group, other], (NOW, NOW + 3))

    assert [event.message for event in found] == ["3", "2", "1"]


# -- files of tasks ------------------------------------------------------------------------------


def test_lines_arrive_once_over_a_restart(directory, store, ingestion):
    file = directory / "t1.log"
    file.write_text("one\ntwo\nhal")
    Follower(directory, store, ingestion).poll(KNOWN)
    with file.open("a") as log:
        log.write("f\nfour\n")

    Follower(directory, store, ingestion).poll({})

    assert messages(store) == ["one", "two", "half", "four"]


def test_the_space_of_what_was_read_is_given_back_and_no_line_is_lost(
    directory, store, group, ingestion, monkeypatch
):
    follower = Follower(directory, store, ingestion)
    file = directory / "t1.log"
    with file.open("a") as task:

        def write(text):
            task.write(text)
            task.flush()

        def write_at_the_last_moment(path, length):
            write("meanwhile\n")
            return freed(path, length)

        monkeypatch.setattr("sandbox.logs.tailing.freed", write_at_the_last_moment)
        write(("x" * 99 + "\n") * (FREED_BYTES // 100 + 1))
        follower.poll(KNOWN)
        kept = file.stat().st_blocks * 512
        write("after\n")
        Follower(directory, store, ingestion).poll(KNOWN)

    assert kept <= 8192
    assert messages(store)[-3:] == ["x" * 99, "meanwhile", "after"]


def test_a_file_emptied_by_somebody_else_is_read_from_its_beginning(directory, store, ingestion):
    follower = Follower(directory, store, ingestion)
    file = directory / "t1.log"
    file.write_text("a longer line\n")
    follower.poll(KNOWN)
    os.truncate(file, 0)
    file.write_text("short\n")

    follower.poll(KNOWN)

    assert messages(store) == ["a longer line", "short"]


def test_a_file_of_nobody_is_left_alone(directory, store, ingestion):
    (directory / "t2.log").write_text("whose?\n")

    Follower(directory, store, ingestion).poll(KNOWN)

    assert store.groups() == []


def test_a_file_that_is_gone_is_forgotten(directory, store, ingestion):
    follower = Follower(directory, store, ingestion)
    (directory / "t1.log").write_text("last words\n")
    follower.poll(KNOWN)
    (directory / "t1.log").unlink()

    follower.poll(KNOWN)

    assert store.followed() == {}
    assert messages(store) == ["last words"]


def test_long_lines_are_split_and_odd_line_ends_are_not(directory, store, ingestion):
    (directory / "t1.log").write_bytes(("x" * 300_000 + "\nbefore\u2028after\r\n\n").encode())

    Follower(directory, store, ingestion).poll(KNOWN)

    assert [len(message) for message in messages(store)] == [262_144, 37_856, 12]


def test_a_json_line_says_itself_when_it_was_written(directory, store, ingestion):
    written = datetime.now(UTC) - timedelta(seconds=40)
    line = json.dumps({"time": written.isoformat(timespec="milliseconds"), "message": "request"})
    (directory / "t1.log").write_text(f"{line}\n")

    Follower(directory, store, ingestion).poll(KNOWN)

    (event,) = store.newest_first(store.groups(), (0, 2**62))
    ahead = clock.ahead()
    assert event.time / 1000 - ahead == pytest.approx(written.timestamp(), abs=0.05)


# -- metrics -------------------------------------------------------------------------------------


def errors(**transformation):
    return Filter(
        group="/ecs/news-api",
        name="errors",
        pattern="{ $.status >= 500 }",
        transformation={
            "metricNamespace": "News",
            "metricName": "Errors",
            "metricValue": "1",
            **transformation,
        },
        created=NOW,
    )


def line(status, **more):
    return json.dumps({"status": status, **more})


def write(ingestion, group, *lines, minute=MINUTE):
    ingestion.write(group, "web/1", [(minute * 60_000, each) for each in lines])
    ingestion.flush()


def test_a_metric_filter_counts_what_matches(ingestion, filters, group, cloudwatch):
    filters.put(errors())

    write(ingestion, group, line(500), line(200), line(503))
    write(ingestion, group, line(500))

    found = cloudwatch.published(Metric.of("News", "Errors"), MINUTE)
    assert (found.count, found.total) == (3, 3)


def test_a_metric_filter_takes_values_and_dimensions_from_the_event(
    ingestion, filters, group, cloudwatch
):
    taken = errors(metricValue="$.ms", dimensions={"Path": "$.path"})
    filters.put(replace(taken, pattern="{ $.status >= 500 && $.ms = * && $.path = * }"))

    write(ingestion, group, line(500, ms=12, path="/a"), line(500, ms=30, path="/a"), line(500))

    found = cloudwatch.published(Metric.of("News", "Errors", Path="/a"), MINUTE)
    assert (found.count, found.low, found.high) == (2, 12, 30)


@pytest.mark.parametrize(
    "odd",
    [
        {"ms": 1, "path": "/größe"},
        {"ms": 1, "path": "/" + "a" * 2000},
    ],
    ids=["not-ascii", "long"],
)
def test_values_cloudwatch_does_not_take_leave_the_others_alone(
    ingestion, filters, group, cloudwatch, odd
):
    taken = errors(metricValue="$.ms", dimensions={"Path": "$.path"})
    filters.put(replace(taken, pattern="{ $.status >= 500 && $.ms = * && $.path = * }"))

    write(ingestion, group, line(500, **odd), line(500, ms=12, path="/a"))

    assert cloudwatch.published(Metric.of("News", "Errors", Path="/a"), MINUTE).total == 12


def test_what_is_kept_goes_on_after_a_failure(store, ingestion, monkeypatch):
    monkeypatch.setattr("sandbox.logs.service.FLUSH_SECONDS", 0.0)
    monkeypatch.setattr("sandbox.logs.service._SHORTEST", 0.0)
    rounds = iter([OSError("disk full"), None, asyncio.CancelledError()])

    def flush():
        outcome = next(rounds)
        if outcome:
            raise outcome

    monkeypatch.setattr(ingestion, "flush", flush)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(Logs(store, ingestion, None).keep())

    assert next(rounds, "all taken") == "all taken"


def test_following_goes_on_after_a_failure(directory, store, ingestion, monkeypatch):
    monkeypatch.setattr("sandbox.logs.tailing.POLL_SECONDS", 0.0)
    monkeypatch.setattr("sandbox.logs.tailing.destinations", lambda account: account)
    (directory / "t1.log").write_text("one\n")
    follower = Follower(directory, store, ingestion)
    poll, rounds = follower.poll, iter([OSError("disk full"), None, asyncio.CancelledError()])

    def failing(known):
        outcome = next(rounds)
        if outcome:
            raise outcome
        poll(known)

    monkeypatch.setattr(follower, "poll", failing)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(follower.run(KNOWN))

    assert messages(store) == ["one"]


def test_a_group_whose_size_is_wrong_is_not_emptied_for_ever(store, group):
    group.bytes = 10**9

    store.append(group, "web/1", [(NOW, "one")], NOW)

    assert group.bytes >= 0


def test_a_minute_with_events_and_no_match_has_the_default_value(
    ingestion, filters, group, cloudwatch
):
    filters.put(errors(defaultValue=0))
    past = MINUTE - 2

    write(ingestion, group, line(200), line(201), minute=past)
    write(ingestion, group, line(500), line(200), minute=past - 1)

    metric = Metric.of("News", "Errors")
    assert cloudwatch.published(metric, past).total == 0
    assert cloudwatch.published(metric, past - 1).total == 1
    assert cloudwatch.published(metric, past - 2) is None


def test_filters_are_there_after_a_restart(tmp_path, filters):
    filters.put(errors())

    with closing(State(tmp_path / "state.sqlite")) as state:
        assert list(Filters(state)) == [errors()]


def test_what_comes_in_is_counted_by_group(ingestion, group, cloudwatch):
    began = int(time.time() // 60)

    write(ingestion, group, "12345", "åä")
    write(ingestion, group, "1")

    by_group = {"LogGroupName": "/ecs/news-api"}
    minutes = range(began, int(time.time() // 60) + 1)
    found = {
        name: sum(
            each.total
            for minute in minutes
            if (each := cloudwatch.published(Metric.of("AWS/Logs", name, **by_group), minute))
        )
        for name in ("IncomingLogEvents", "IncomingBytes")
    }
    assert found == {"IncomingLogEvents": 3, "IncomingBytes": 5 + 4 + 1 + 3 * EVENT_OVERHEAD}


# -- floods ----------------------------------------------------------------------------------------


def test_a_flood_writes_as_many_lines_as_it_was_asked_for(store, ingestion):
    works = []
    logs = Logs(store, ingestion, works.append)

    logs.flood("/ecs/news-api", lines_per_second=200, seconds=0.6)
    asyncio.run(works[0])

    found = list(store.newest_first(store.groups(), (0, 2**62)))
    assert len(found) == 120
    assert found[0].time - found[-1].time == pytest.approx(595, abs=1)
    assert json.loads(found[0].message)["level"] == "ERROR"


# -- what a fault leaves in the log ----------------------------------------------------------------


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
