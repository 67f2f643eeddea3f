"""Whether the new version behaves worse than the old one, in words. Pure; never acts by itself.

Error ratios are compared with the exact conditional rate test: given all errors of both fleets,
the new fleet's share of them is binomial with its share of the requests. A test on per-minute
ratios would miss most regressions at canary traffic.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp, lgamma, log, sqrt

from ui import formats

FEWEST_REQUESTS = 100  # on either fleet, before anything is judged
FEWEST_FOR = {"p50": 50, "p90": 100, "p99": 500}
SIGNIFICANT = 0.01
ERRORS_FLOOR = 3  # fewer errors than this are never a reason to fail
ERROR_RATIO_GROWTH = 2.0
LATENCY_GROWTH = 1.5
LATENCY_FLOOR = 0.02  # seconds

PASS, FAIL, INSUFFICIENT = "pass", "fail", "insufficient data"


@dataclass(frozen=True, slots=True)
class Fleet:
    """One target group over the minutes compared. Latencies in seconds; None is no data."""

    requests: float | None
    errors: float | None
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None

    @property
    def error_ratio(self) -> float | None:
        """Share of the requests answered with a 5xx, 0 to 1."""
        if not self.requests or self.errors is None:
            return None
        return self.errors / self.requests


@dataclass(frozen=True, slots=True)
class Finding:
    signal: str
    verdict: str
    text: str

    @property
    def failed(self) -> bool:
        return self.verdict == FAIL


@dataclass(frozen=True, slots=True)
class Verdict:
    word: str
    text: str
    findings: tuple[Finding, ...]

    @property
    def failed(self) -> bool:
        return self.word == FAIL

    @property
    def passed(self) -> bool:
        return self.word == PASS


def judge(*, old: Fleet, new: Fleet) -> Verdict:
    """Compare the new fleet with the old one over the same minutes."""
    findings = (_errors(old, new), *(_latency(name, old, new) for name in FEWEST_FOR))
    failed = [finding for finding in findings if finding.failed]
    if failed:
        return Verdict(FAIL, failed[0].text, findings)
    if findings[0].verdict == INSUFFICIENT:
        return Verdict(INSUFFICIENT, findings[0].text, findings)
    return Verdict(PASS, findings[0].text, findings)


def rate_test(*, errors: int, requests: int, base_errors: int, base_requests: int) -> float:
    """Return the probability of at least `errors` of all errors, were both error ratios equal."""
    total = errors + base_errors
    if errors == 0 or requests + base_requests == 0:
        return 1.0
    share = requests / (requests + base_requests)
    if share in {0.0, 1.0}:
        return 1.0
    mean = total * share
    # What is further out adds nothing, and a busy service has millions of terms.
    reach = ceil(12 * sqrt(mean * (1 - share))) + 30
    if errors < mean - reach:
        return 1.0
    last = min(total, max(errors, ceil(mean)) + reach)
    tail = sum(_binomial(total, count, share) for count in range(errors, last + 1))
    return min(1.0, tail)


def _binomial(total: int, count: int, share: float) -> float:
    ways = lgamma(total + 1) - lgamma(count + 1) - lgamma(total - count + 1)
    return exp(ways + count * log(share) + (total - count) * log(1 - share))


def _errors(old: Fleet, new: Fleet) -> Finding:
    name = "errors"
    if lacking := _too_few(old, new, FEWEST_REQUESTS):
        return Finding(name, INSUFFICIENT, lacking)
    if old.requests is None or old.errors is None or new.requests is None or new.errors is None:
        return Finding(name, INSUFFICIENT, "One of the two fleets reported no data.")
    chance = rate_test(
        errors=round(new.errors),
        requests=round(new.requests),
        base_errors=round(old.errors),
        base_requests=round(old.requests),
    )
    worse = chance < SIGNIFICANT and new.errors >= ERRORS_FLOOR and _grew(old, new)
    return Finding(name, FAIL if worse else PASS, _error_words(old, new, chance))


def _grew(old: Fleet, new: Fleet) -> bool:
    before, after = old.error_ratio, new.error_ratio
    return after is not None and (not before or after / before >= ERROR_RATIO_GROWTH)


def _error_words(old: Fleet, new: Fleet, chance: float) -> str:
    before, after = old.error_ratio or 0.0, new.error_ratio or 0.0
    p = "p < 0.001" if chance < 0.001 else f"p = {chance:.3f}"
    words = (
        f"errors {after:.2%} against {before:.2%} "
        f"({p}, {new.requests:,.0f} against {old.requests:,.0f} requests)"
    )
    if not new.errors and new.requests:
        # Rule of three: with none seen in n, a ratio above 3/n would have shown in 95 % of runs.
        words += f"; a ratio above {3 / new.requests:.2%} would have shown"
    return words


def _latency(name: str, old: Fleet, new: Fleet) -> Finding:
    fewest = FEWEST_FOR[name]
    if lacking := _too_few(old, new, fewest):
        return Finding(name, INSUFFICIENT, lacking)
    before: float | None = getattr(old, name)
    after: float | None = getattr(new, name)
    if before is None or after is None:
        return Finding(name, INSUFFICIENT, f"{name}: one of the two fleets reported no data")
    worse = after >= LATENCY_GROWTH * before and after - before >= LATENCY_FLOOR
    words = f"{name} {formats.milliseconds(after)} against {formats.milliseconds(before)}"
    return Finding(name, FAIL if worse else PASS, words)


def _too_few(old: Fleet, new: Fleet, fewest: int) -> str:
    """Say which fleet had too few requests to be judged by, or no figures; "" if both had enough.

    CloudWatch publishes later than requests arrive: no figure is not a figure of 0.
    """
    for name, fleet in (("new", new), ("old", old)):
        if fleet.requests is None:
            return f"no figures of the {name} version so far; {fewest} requests are needed to judge"
        if fleet.requests < fewest:
            words = f"{fleet.requests:,.0f} requests reached the {name} version so far"
            return f"{words}; {fewest} are needed to judge"
    return ""
