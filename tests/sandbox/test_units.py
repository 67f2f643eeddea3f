"""The sandbox's pure parts."""

from __future__ import annotations

import asyncio
import json
import math
import os
import random
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import feedparser
import pytest

from sandbox import children, feeds
from sandbox.alb.actions import Forward
from sandbox.alb.metrics import KEPT_MINUTES, Book, bucket
from sandbox.alb.routing import Router
from sandbox.balancing.moto_picture import integers
from sandbox.ecs.pages import page
from sandbox.errors import AwsError
from sandbox.images import CannotPull, resolve
from sandbox.load_balancers import Target
from sandbox.processes import PidFile, _clock, _command_of, _usage_from_ps, group_usage
from sandbox.state import State
from sandbox.traffic import Reader
from sandbox.week import busy
from sandbox.wire import encode_json, error_answer
from tests.sandbox.account import LIMIT, wait_until


@pytest.mark.parametrize("seconds", [0.0004, 0.001, 0.01999, 0.5, 1.0, 1.02, 59.9])
def test_a_latency_falls_into_the_bucket_that_covers_it(seconds):
    index = bucket(seconds)

    assert 1.02 ** (index - 1) < seconds <= 1.02**index * (1 + 1e-12)


def test_a_latency_of_zero_has_a_bucket():
    assert bucket(0.0) == bucket(1e-6)


def test_minutes_are_kept_for_half_an_hour_and_told_in_order():
    book = Book()
    book.at(0.0, "app/a", "targetgroup/b").counts["requests"] += 1
    book.at(60.0 * 20, "app/a", None).counts["elb_503"] += 2
    both = book.since(0)

    book.at(60.0 * (KEPT_MINUTES + 1), "app/a", None)

    assert [(row["minute"], row["target_group"]) for row in both] == [
        (0, "targetgroup/b"),
        (20, None),
    ]
    assert [row["minute"] for row in book.since(0)] == [20, KEPT_MINUTES + 1]
    assert "latency" not in both[0]


SHARES = Forward.by({"g": 100})


def routing(version, rows):
    return {"version": version, "listeners": {}, "groups": {"g": rows}}


def test_a_snapshot_keeps_targets_that_stay_and_drains_those_that_leave():
    router = Router()
    rows = [{"host": "127.0.0.1", "port": port, "version": "1"} for port in (1, 2)]
    router.apply(routing(1, rows))
    stays, leaves = router.snapshot.groups["g"]

    router.apply(routing(2, rows[:1]))

    assert router.snapshot.groups["g"] == (stays,)
    assert leaves.draining
    assert not stays.draining


def test_requests_take_turns_among_targets_and_avoid_an_ejected_one():
    router = Router()
    rows = [{"host": "127.0.0.1", "port": port, "version": "1"} for port in (1, 2, 3)]
    router.apply(routing(1, rows))
    even = Counter(router.choose(SHARES)[1].port for _ in range(30))

    router.snapshot.groups["g"][0].eject()

    assert even == {1: 10, 2: 10, 3: 10}
    assert {router.choose(SHARES)[1].port for _ in range(10)} == {2, 3}


def test_no_weight_means_no_target_group():
    router = Router()

    assert router.choose(Forward.by({"g": 0})) == (None, None)
    assert router.choose(Forward.by({"unknown": 1})) == ("unknown", None)


def test_a_fresh_target_is_healthy_after_one_check_later_after_two_and_ill_after_three():
    target = Target("g", 1, "1.4.0")

    states = []
    for status in (200, 200, 503, 503, 503, None, 200, 200):
        target.judge(status)
        states.append(target.state)

    assert states == ["healthy"] * 4 + ["unhealthy"] * 3 + ["healthy"]
    assert target.reason == ""


def test_an_unhealthy_target_says_which_status_it_answered():
    target = Target("g", 1, "1.4.0")

    for _ in range(3):
        target.judge(503)

    assert (target.reason, target.description) == (
        "Target.ResponseCodeMismatch",
        "Health checks failed with these codes: [503]",
    )


LISTED = {"of": {"operation": "ListThings"}, "default": 10, "most": 10}


def test_pages_follow_each_other_to_the_end():
    first, more = page(range(5), None, 2, **LISTED)
    second, more = page(range(5), more["nextToken"], 2, **LISTED)
    third, end = page(range(5), more["nextToken"], 2, **LISTED)

    assert (first, second, third, end) == ([0, 1], [2, 3], [4], {})


@pytest.mark.parametrize(("token", "size"), [("%%%", None), ("Zm9v", None), (None, 0), (None, 11)])
def test_a_token_or_size_out_of_range_is_refused(token, size):
    with pytest.raises(AwsError):
        page(range(5), token, size, **LISTED)


def test_a_token_of_another_list_is_refused():
    _, more = page(range(5), None, 2, **LISTED)

    with pytest.raises(AwsError, match="Invalid token"):
        page(range(5), more["nextToken"], 2, **LISTED | {"of": {"operation": "ListOthers"}})


def test_weights_are_whole_numbers_even_for_tenths_of_a_percent():
    assert integers({"a": 90.0, "b": 10.0}) == {"a": 90, "b": 10}
    assert integers({"a": 99.9, "b": 0.1}) == {"a": 999, "b": 1}
    assert integers({"a": 100.0, "b": 0.0}) == {"a": 100, "b": 0}


def test_json_answers_hold_timestamps_as_seconds_and_blobs_as_base64():
    at = datetime(2026, 11, 22, 12, 0, 0, 500_000, tzinfo=UTC)

    text = encode_json({"at": at, "blob": b"hi", "amount": Decimal("1.5"), "none": None})

    assert json.loads(text) == {"at": at.timestamp(), "blob": "aGk=", "amount": 1.5, "none": None}


def test_what_has_no_place_in_an_answer_is_not_guessed():
    with pytest.raises(TypeError):
        encode_json({"at": object()})


@pytest.mark.parametrize("protocol", ["query", "ec2", "rest-xml"])
def test_xml_errors_escape_their_message(protocol):
    answer = error_answer(AwsError("Code", "<&>"), protocol, "id")

    assert b"<Code>Code</Code><Message>&lt;&amp;&gt;</Message>" in answer.body


def test_documents_survive_with_their_timestamps(tmp_path):
    at = datetime(2026, 1, 2, tzinfo=UTC)
    state = State(tmp_path / "state.sqlite")
    state.put("thing", "a", {"at": at, "list": [{"at": at}]})
    epoch = state.epoch()
    state.close()

    again = State(tmp_path / "state.sqlite")

    assert again.get("thing", "a") == {"at": at, "list": [{"at": at}]}
    assert list(again.all("thing")) == [{"at": at, "list": [{"at": at}]}]
    assert again.epoch() == epoch
    assert again.get("thing", "b") is None
    again.close()


def test_documents_stay_in_the_order_of_their_first_write(tmp_path):
    state = State(tmp_path / "state.sqlite")

    for key in ("a", "b", "a"):
        state.put("thing", key, {"key": key})

    assert [body["key"] for body in state.all("thing")] == ["a", "b"]
    state.close()


def test_documents_written_together_are_written_or_none_is(tmp_path):
    state = State(tmp_path / "state.sqlite")

    def fail():
        with state.together():
            with state.together():
                state.put("thing", "a", {})
            raise OSError("killed")

    with pytest.raises(OSError, match="killed"):
        fail()
    with state.together():
        state.put("thing", "b", {})

    assert state.get("thing", "a") is None
    assert state.get("thing", "b") == {}
    state.close()


def test_an_image_is_found_by_tag_digest_and_both():
    tag = resolve("123456789012.dkr.ecr.us-east-1.amazonaws.com/news-api:1.4.1")
    repository = tag.uri.rsplit(":", 1)[0]

    assert resolve(f"{repository}@{tag.digest}") is tag
    assert resolve(f"{tag.uri}@{tag.digest}") is tag
    with pytest.raises(CannotPull, match="not found"):
        resolve(f"{repository}:latest")


@pytest.mark.parametrize("name", feeds.SOURCES)
def test_a_feed_is_rss_with_the_same_articles_for_everybody(name):
    at = datetime(2026, 11, 22, 12, tzinfo=UTC)

    read = feedparser.parse(feeds.feed(name, at))
    later = feedparser.parse(feeds.feed(name, at + timedelta(minutes=feeds.SOURCES[name][1])))

    assert not read.bozo
    assert len(read.entries) == feeds.ITEMS
    assert later.entries[1].link == read.entries[0].link
    assert read.entries[0].published_parsed > read.entries[1].published_parsed


def test_readers_look_at_lists_articles_and_few_dead_links():
    reader = Reader(random.Random(3))
    reader.learn("/v1/articles?q=moon", {"items": [{"id": 7}], "next_cursor": "abc"})

    seen = Counter(reader.path().split("?")[0] for _ in range(2000))
    dead = sum(n for path, n in seen.items() if path.startswith("/v1/articles/1")) / 2000

    assert seen["/v1/articles"] > 1200
    assert seen["/v1/articles/7"] > 250
    assert dead < 0.04


def test_the_next_page_is_asked_for_with_the_words_of_its_list():
    reader = Reader(random.Random(3))
    reader.learn("/v1/articles?q=moon", {"items": [], "next_cursor": "abc="})
    reader.learn("/v1/articles?q=moon&cursor=abc%3D", {"items": [], "next_cursor": "def"})

    followed = {path for _ in range(500) if "cursor" in (path := reader.path())}

    assert followed == {"/v1/articles?q=moon&cursor=abc%3D", "/v1/articles?q=moon&cursor=def"}


def test_the_day_averages_to_one_and_is_busiest_in_the_afternoon():
    hours = [busy(hour * 3600) for hour in range(24)]

    assert math.isclose(sum(hours) / 24, 1.0, abs_tol=1e-9)
    assert hours.index(max(hours)) == 16


@pytest.mark.parametrize(("text", "seconds"), [("0:01.50", 1.5), ("1-02:03:04", 93784.0)])
def test_the_clock_of_ps_is_read(text, seconds):
    assert _clock(text) == seconds


@pytest.mark.parametrize("measure", [group_usage, _usage_from_ps])
def test_a_process_group_is_measured_and_a_gone_one_is_zero(measure):
    group = os.getpgid(0)
    sum(range(10**6))

    usage = measure({group, 2**22 - 1})

    assert usage[group][0] >= 0
    assert usage[group][1] > 1_000_000
    assert usage[2**22 - 1] == (0.0, 0)


def asleep():
    """A process of a group of its own; one that has just begun has no command to tell yet."""
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    process = subprocess.Popen(command, start_new_session=True)
    wait_until(lambda: "time.sleep(600)" in _command_of(process.pid))
    return process


def test_leftovers_of_a_crash_are_ended_but_not_a_process_that_took_their_number(tmp_path):
    leftover, stranger = asleep(), asleep()
    PidFile(tmp_path / "pids").add(leftover.pid, "time.sleep(600)")
    with (tmp_path / "pids").open("a") as file:
        file.write(f"{stranger.pid} another command\n")

    PidFile(tmp_path / "pids").reap()

    assert leftover.wait(LIMIT) == -9
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_the_list_of_processes_is_whole_while_it_is_written_anew(tmp_path):
    pids = PidFile(tmp_path / "pids")
    pids.add(1, "one")

    with (tmp_path / "pids").open() as before:
        pids.add(2, "two")

        assert before.read() == "1 one\n"
    assert (tmp_path / "pids").read_text() == "1 one\n2 two\n"


def test_leftovers_are_ended_in_an_image_without_ps(tmp_path, monkeypatch):
    leftover = asleep()
    PidFile(tmp_path / "pids").add(leftover.pid, "time.sleep(600)")
    if sys.platform == "linux":  # elsewhere there are no images, and ps is the only way
        monkeypatch.setenv("PATH", str(tmp_path))

    PidFile(tmp_path / "pids").reap()

    assert leftover.wait(LIMIT) == -9


def test_a_child_that_ends_as_it_is_killed_does_not_keep_the_rest_from_ending(monkeypatch):
    monkeypatch.setattr(children, "STOP_SECONDS", 0.01)
    ended = asyncio.Event()

    def kill():
        ended.set()
        raise ProcessLookupError

    asyncio.run(children.gone(SimpleNamespace(wait=ended.wait, kill=kill)))

    assert ended.is_set()
