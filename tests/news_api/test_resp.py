from __future__ import annotations

from collections.abc import Iterator

import pytest

from news_api import resp
from news_api.resp import CacheUnavailable, Valkey
from tests.news_api.relay import Relay


@pytest.fixture
def relayed(cache_relay: tuple[Relay, str]) -> Iterator[Valkey]:
    client = Valkey(cache_relay[1])
    yield client
    client.close()


def test_bytes_survive_the_round_trip(valkey: Valkey) -> None:
    body = bytes(range(256)) * 1000 + b"\r\n$5\r\n"

    valkey.execute("SET", "news:test", body)

    assert valkey.execute("GET", "news:test") == body
    assert valkey.execute("GET", "news:absent") is None
    assert valkey.execute("EVAL", "return {1, {'a'}, false}", "0") == [1, [b"a"], None]


def test_an_error_reply_leaves_the_connection_usable(valkey: Valkey) -> None:
    with pytest.raises(CacheUnavailable, match="unknown command"):
        valkey.execute("NONSENSE")

    assert valkey.execute("PING") == b"PONG"


def test_a_restarted_server_is_not_an_outage(
    relayed: Valkey, cache_relay: tuple[Relay, str]
) -> None:
    relayed.execute("PING")
    cache_relay[0].cut()
    cache_relay[0].mend()

    assert relayed.execute("PING") == b"PONG"


def test_a_dead_server_is_left_alone_for_a_moment_and_found_again(
    relayed: Valkey, cache_relay: tuple[Relay, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(resp.time, "monotonic", lambda: now)
    cache_relay[0].cut()
    with pytest.raises(CacheUnavailable):
        relayed.execute("PING")
    cache_relay[0].mend()

    with pytest.raises(CacheUnavailable, match="a moment ago"):
        relayed.execute("PING")
    now += resp.REST_SECONDS

    assert relayed.execute("PING") == b"PONG"
