"""Events of streams are taken or refused, and read by stream, pattern and time."""

from __future__ import annotations

import pytest

from sandbox.logs import patterns
from sandbox.logs.events import _search
from sandbox.logs.store import Event
from tests.sandbox.contract import checked
from tests.sandbox.logs.asking import now, put, refusal

DAY_MS = 86_400_000


def test_streams_by_name_and_by_last_event(logs, group):
    for name in ("a", "b"):
        logs.create_log_stream(logGroupName=group, logStreamName=name)
    put(logs, group, "late", stream="a", at=now() + 60_000)
    put(logs, group, "early", stream="s", at=now() - 60_000)

    def names(**asked):
        found = checked(logs, "DescribeLogStreams", logGroupName=group, **asked)["logStreams"]
        return [stream["logStreamName"] for stream in found]

    assert names() == ["a", "b", "s"]
    assert names(logStreamNamePrefix="b") == ["b"]
    assert names(orderBy="LastEventTime", descending=True) == ["a", "b", "s"]
    assert names(orderBy="LastEventTime") == ["s", "b", "a"]
    checked(logs, "DeleteLogStream", logGroupName=group, logStreamName="a")
    assert names() == ["b", "s"]


def test_a_batch_is_sorted_out_as_aws_does(logs, group):
    logs.put_retention_policy(logGroupName=group, retentionInDays=3)
    times = [now() - 20 * DAY_MS, now() - 5 * DAY_MS, now(), now() + 3 * 3_600_000]
    events = [{"timestamp": at, "message": f"m{n}"} for n, at in enumerate(times)]

    answer = checked(logs, "PutLogEvents", logGroupName=group, logStreamName="s", logEvents=events)

    assert answer["rejectedLogEventsInfo"] == {
        "tooOldLogEventEndIndex": 1,
        "expiredLogEventEndIndex": 2,
        "tooNewLogEventStartIndex": 3,
    }
    assert [event["message"] for event in _all(logs, group)] == ["m2"]


@pytest.mark.parametrize(
    "offsets",
    [
        pytest.param([(0, "b"), (-1, "a")], id="disorder"),
        pytest.param([(-25 * 3_600_000, "a"), (0, "b")], id="more than a day"),
        pytest.param([(0, "x" * 1_048_577)], id="too large"),
        pytest.param([(0, "x" * 600_000), (1, "y" * 600_000)], id="too much"),
    ],
)
def test_a_wrong_batch_is_refused_whole(logs, group, offsets):
    begin = now()
    events = [{"timestamp": begin + offset, "message": text} for offset, text in offsets]
    asked = {"logGroupName": group, "logStreamName": "s", "logEvents": events}

    assert refusal(logs, "put_log_events", **asked) == "InvalidParameterException"
    assert _all(logs, group) == []


def _all(logs, group, **asked):
    return checked(logs, "FilterLogEvents", logGroupName=group, **asked)["events"]


def test_stored_bytes_are_those_of_the_events(logs, group):
    put(logs, group, "12345", "åä")

    (shown,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]

    assert shown["storedBytes"] == 5 + 4 + 2 * 26


def test_events_of_a_stream_forwards_and_backwards(logs, group):
    put(logs, group, *(str(number) for number in range(10)))

    def get(**asked):
        answer = checked(logs, "GetLogEvents", logGroupName=group, logStreamName="s", **asked)
        return "".join(event["message"] for event in answer["events"]), answer

    tail, answer = get(limit=4)
    before, earlier = get(limit=4, nextToken=answer["nextBackwardToken"])
    again, _ = get(limit=4, nextToken=earlier["nextForwardToken"], startFromHead=True)
    end, over = get(nextToken=answer["nextForwardToken"], startFromHead=True)

    assert (tail, before, again, end) == ("6789", "2345", "6789", "")
    assert over["nextForwardToken"] == answer["nextForwardToken"]
    assert get(limit=3, startFromHead=True)[0] == "012"
    first = answer["events"][0]["timestamp"]
    assert get(startTime=first, endTime=first + 2)[0] == "67"
    asked = {"logGroupName": group, "logStreamName": "s", "nextToken": "x"}
    assert refusal(logs, "get_log_events", **asked) == "InvalidParameterException"


def test_a_token_for_the_end_leads_to_what_is_put_later(logs, group):
    asked = {"logGroupName": group, "logStreamName": "s"}
    tokens = [logs.get_log_events(**asked)["nextForwardToken"]]
    for message in ("one", "two"):
        put(logs, group, message)
        answer = logs.get_log_events(**asked, nextToken=tokens[-1], startFromHead=True)
        tokens.append(answer["nextForwardToken"])

        assert [event["message"] for event in answer["events"]] == [message]


def test_filtered_events_by_pattern_stream_and_time(logs, group):
    logs.create_log_stream(logGroupName=group, logStreamName="t")
    begin = now() - 10
    put(logs, group, "ERROR one", "INFO two", at=begin)
    put(logs, group, "ERROR three", at=begin + 5, stream="t")

    def found(**asked):
        return [event["message"] for event in _all(logs, group, **asked)]

    assert found() == ["ERROR one", "INFO two", "ERROR three"]
    assert found(filterPattern="ERROR") == ["ERROR one", "ERROR three"]
    assert found(logStreamNames=["t"]) == ["ERROR three"]
    assert found(logStreamNamePrefix="s", filterPattern="-ERROR") == ["INFO two"]
    assert found(startTime=begin + 1, endTime=begin + 5) == ["INFO two", "ERROR three"]
    assert found(startTime=begin, startFromHead=False) == ["ERROR three", "INFO two", "ERROR one"]


def test_an_empty_page_is_not_the_end(logs, group):
    for _ in range(3):
        put(logs, group, *["noise"] * 10_000, step=0)
    put(logs, group, "needle", at=now() + 1000)

    first = checked(logs, "FilterLogEvents", logGroupName=group, filterPattern="needle")
    second = logs.filter_log_events(
        logGroupName=group, filterPattern="needle", nextToken=first["nextToken"]
    )

    assert first["events"] == []
    assert [event["message"] for event in second["events"]] == ["needle"]
    assert "nextToken" not in second
    asked = {"logGroupName": group, "filterPattern": "other", "nextToken": first["nextToken"]}
    assert refusal(logs, "filter_log_events", **asked) == "InvalidParameterException"


def test_a_page_ends_after_so_many_bytes_without_a_match():
    message = "a" * 2**20
    events = [Event(number, number, number, message, "s", "g") for number in range(20)]

    found, end = _search(events, patterns.parse("needle"), 10)

    assert found == []
    assert end is not None
    assert end[0] < 10
