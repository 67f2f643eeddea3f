"""What tests of the logs put, are refused and find kept, with and without the wire."""

from __future__ import annotations

import time

import pytest

from tests.sandbox.contract import checked

NOW = int(time.time() * 1000)


def now():
    return int(time.time() * 1000)


def put(logs, group, *messages, at=None, step=1, stream="s"):
    """Put messages a millisecond apart; returns the answer."""
    begin = now() - len(messages) * step if at is None else at
    events = [{"timestamp": begin + n * step, "message": m} for n, m in enumerate(messages)]
    return checked(logs, "PutLogEvents", logGroupName=group, logStreamName=stream, logEvents=events)


def refusal(logs, method, **parameters):
    with pytest.raises(logs.exceptions.ClientError) as refused:
        getattr(logs, method)(**parameters)
    return refused.value.response["Error"]["Code"]


def messages(store, name="/ecs/news-api"):
    found = store.newest_first([store.group(name)], (0, 2**62))
    return [event.message for event in found][::-1]
