"""Files of tasks are followed line by line, and no line is lost or told twice."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from sandbox import clock
from sandbox.logs.tailing import FREED_BYTES, Follower, freed
from tests.sandbox.logs.asking import messages

KNOWN = {"t1": ("/ecs/news-api", "web/news-api/t1")}


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "logs").mkdir()
    return tmp_path / "logs"


def test_lines_arrive_once_over_a_restart(directory, store, ingestion):
    file = directory / "t1.log"
    file.write_text("one\ntwo\nhal")
    Follower(directory, store, ingestion).poll(KNOWN)
    with file.open("a") as log:
        log.write("f\nfour\n")

    Follower(directory, store, ingestion).poll({})

    assert messages(store) == ["one", "two", "half", "four"]


def test_the_space_of_what_was_read_is_given_back_and_no_line_is_lost(
    directory, store, kept_group, ingestion, monkeypatch
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
