from __future__ import annotations

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments import evidence
from deployments.evidence import FAIL, INSUFFICIENT, PASS, Fleet, judge, rate_test

BLUE = Fleet(requests=14_220, errors=14, p50=0.020, p90=0.060, p99=0.200)


def green(**changes) -> Fleet:
    fields = {"requests": 1_580, "errors": 2, "p50": 0.020, "p90": 0.060, "p99": 0.200}
    return Fleet(**fields | changes)


def test_a_canary_that_fails_thirty_times_as_often_fails():
    verdict = judge(old=BLUE, new=green(errors=50))

    assert verdict.word == FAIL
    assert verdict.text.startswith("errors 3.16% against 0.10% (p < 0.001")


def test_a_canary_like_its_baseline_passes():
    assert judge(old=BLUE, new=green()).word == PASS


def test_too_little_traffic_is_no_pass():
    verdict = judge(old=BLUE, new=green(requests=99, errors=0))

    assert verdict.word == INSUFFICIENT
    assert "99 requests reached the new version so far; 100 are needed" in verdict.text


@pytest.mark.parametrize("missing", ["requests", "errors"])
def test_missing_data_is_no_pass(missing):
    assert judge(old=BLUE, new=green(**{missing: None})).word == INSUFFICIENT


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [(BLUE, Fleet(None, None), "new"), (Fleet(None, None), green(), "old")],
)
def test_what_cloudwatch_has_not_told_is_not_called_zero(old, new, name):
    verdict = judge(old=old, new=new)

    assert verdict.text.startswith(f"no figures of the {name} version so far")
    assert {finding.verdict for finding in verdict.findings} == {INSUFFICIENT}


def test_no_requests_at_all_are_told_as_measured():
    verdict = judge(old=BLUE, new=green(requests=0, errors=0))

    assert verdict.text.startswith("0 requests reached the new version so far")


def test_a_baseline_without_data_is_no_pass():
    assert judge(old=Fleet(None, None), new=green()).word == INSUFFICIENT


def test_two_errors_are_never_a_reason_to_fail():
    spotless = Fleet(requests=1_000_000, errors=0)

    assert judge(old=spotless, new=green(errors=2)).word == PASS


def test_no_errors_say_what_would_have_shown():
    verdict = judge(old=BLUE, new=green(errors=0))

    assert "a ratio above 0.19% would have shown" in verdict.text


@pytest.mark.parametrize("percentile", ["p50", "p90", "p99"])
def test_latency_half_as_high_again_fails(percentile):
    slower = {percentile: getattr(BLUE, percentile) * 2.1}

    verdict = judge(old=BLUE, new=green(**slower))

    assert verdict.word == FAIL
    assert verdict.text.startswith(percentile)


def test_a_few_milliseconds_more_are_no_reason_to_fail():
    fast = Fleet(requests=14_220, errors=14, p50=0.004, p90=0.008, p99=0.010)

    assert judge(old=fast, new=green(p50=0.009, p90=0.012, p99=0.020)).word == PASS


def test_the_p99_of_few_requests_is_not_judged():
    verdict = judge(old=BLUE, new=green(requests=400, errors=0, p99=5.0))

    p99 = next(finding for finding in verdict.findings if finding.signal == "p99")
    assert p99.verdict == INSUFFICIENT
    assert verdict.word == PASS


def test_the_rate_test_is_the_binomial_tail():
    share = 100 / 1000
    exact = sum(comb(8, k) * share**k * (1 - share) ** (8 - k) for k in range(3, 9))

    chance = rate_test(errors=3, requests=100, base_errors=5, base_requests=900)

    assert chance == pytest.approx(exact)


def test_no_errors_are_no_evidence():
    assert rate_test(errors=0, requests=100, base_errors=5, base_requests=900) == 1.0


def test_a_baseline_without_requests_is_no_evidence():
    assert rate_test(errors=5, requests=100, base_errors=0, base_requests=0) == 1.0


@given(
    errors=st.integers(0, 50),
    more=st.integers(1, 20),
    requests=st.integers(1, 5_000),
    base_errors=st.integers(0, 50),
    base_requests=st.integers(1, 5_000),
)
def test_more_errors_are_never_less_evidence(errors, more, requests, base_errors, base_requests):
    fewer = rate_test(
        errors=errors, requests=requests, base_errors=base_errors, base_requests=base_requests
    )
    many = rate_test(
        errors=errors + more,
        requests=requests,
        base_errors=base_errors,
        base_requests=base_requests,
    )

    assert 0.0 <= many <= fewer + 1e-9 <= 1.0 + 1e-9


def test_a_version_that_fails_without_an_old_one_to_compare_with_does_not_pass():
    verdict = judge(old=Fleet(requests=0, errors=0), new=green(errors=1_580))

    assert verdict.word == INSUFFICIENT
    assert "0 requests reached the old version" in verdict.text


def test_a_handful_of_old_requests_is_nothing_to_compare_with():
    old = Fleet(requests=3, errors=0, p50=0.02, p90=0.06, p99=0.2)

    assert judge(old=old, new=green(errors=158)).word == INSUFFICIENT


def test_millions_of_errors_take_no_millions_of_terms(monkeypatch):
    terms = []

    def counted(total, count, share):
        terms.append(count)
        return binomial(total, count, share)

    binomial = evidence._binomial
    monkeypatch.setattr(evidence, "_binomial", counted)

    even = rate_test(errors=300_000, requests=10**7, base_errors=2_700_000, base_requests=9 * 10**7)

    assert even == pytest.approx(0.5, abs=0.01)
    assert len(terms) < 20_000


@given(errors=st.integers(1, 400), base_errors=st.integers(0, 400))
def test_the_shortened_tail_is_the_tail(errors, base_errors):
    total = errors + base_errors
    exact = sum(evidence._binomial(total, count, 0.1) for count in range(errors, total + 1))

    chance = rate_test(errors=errors, requests=100, base_errors=base_errors, base_requests=900)

    assert chance == pytest.approx(min(1.0, exact), abs=1e-9)
