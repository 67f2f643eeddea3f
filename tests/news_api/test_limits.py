from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from news_api.back_off import back_off
from news_api.limits import MICRO, Quota, judge, spend
from news_api.resp import Valkey

TEN = Quota(10)


def test_the_first_of_ten_leaves_nine() -> None:
    verdict = judge(TEN, granted=True, backlog=6 * MICRO)

    assert verdict.remaining == 9
    assert verdict.headers() == {
        "RateLimit-Policy": '"default";q=10;w=60',
        "RateLimit": '"default";r=9;t=6',
    }


def test_a_refusal_says_when_one_more_request_fits() -> None:
    verdict = judge(TEN, granted=False, backlog=58 * MICRO)

    assert verdict.remaining == 0
    assert verdict.headers()["Retry-After"] == "4"


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_the_numbers_told_never_contradict_each_other(requests: int, share: float) -> None:
    quota = Quota(requests)
    backlog = int(quota.window * MICRO * share)

    verdict = judge(quota, granted=True, backlog=backlog)

    assert 0 <= verdict.remaining * quota.interval <= quota.window * MICRO - backlog
    assert 0 <= verdict.reset <= quota.window


def test_of_many_at_once_exactly_the_quota_is_granted(valkey: Valkey, cache_url: str) -> None:
    def knock(_: int) -> bool:
        with closing(Valkey(cache_url)) as client:
            verdict = spend(client, "test", TEN)
            return verdict is not None and verdict.granted

    with ThreadPoolExecutor(8) as pool:
        granted = list(pool.map(knock, range(40)))

    assert sum(granted) == 10


def test_callers_do_not_pay_for_each_other(valkey: Valkey) -> None:
    one = Quota(1)
    spend(valkey, "first", one)

    refused, granted = spend(valkey, "first", one), spend(valkey, "second", one)

    assert refused is not None
    assert not refused.granted
    assert granted is not None
    assert granted.granted


def test_an_idle_caller_is_forgotten(valkey: Valkey) -> None:
    spend(valkey, "idle", Quota(1))

    lifetime = valkey.execute("PTTL", "news:limit:idle")

    assert isinstance(lifetime, int)
    assert 0 < lifetime <= 60_000


@pytest.mark.parametrize(("failures", "seconds"), [(1, 30), (2, 60), (5, 480), (8, 3600)])
def test_a_failing_source_rests_twice_as_long_each_time(failures: int, seconds: int) -> None:
    assert back_off(failures) == timedelta(seconds=seconds)


def test_a_source_that_failed_for_years_rests_an_hour() -> None:
    assert back_off(2**31) == timedelta(hours=1)
