from __future__ import annotations

import numpy as np

from monitoring.charts import PERCENT, SECONDS, Line, Panel, Threshold
from monitoring.sentences import Change, sentence

NAN = float("nan")
THIN = "\u202f"
LATENCY = Panel("latency", "Latency", SECONDS, (Line("lb.p99", "p99", "latency"),))
ERRORS = Panel(
    "errors", "Errors", PERCENT, (Line("lb.errors", "5xx", "errors"),), Threshold(1.0, "limit")
)
RELEASE = Change(row=10, title="Release 1.4.1", clock="13:52")


def said(values, *, panel=LATENCY, settled=None, change=None):
    numbers = np.array(values, dtype=np.float32)
    text = sentence(panel, numbers, settled=settled or len(numbers), change=change)
    return text.replace(THIN, " ")


def test_the_newest_value_and_the_span_are_named():
    assert said([0.08, 0.3, 0.218]) == "p99 218 ms, between 80 ms and 300 ms in this window."


def test_provisional_values_are_not_spoken_of():
    assert (
        said([0.1, 0.1, 9.0], settled=2) == "p99 100 ms, between 100 ms and 100 ms in this window."
    )


def test_nothing_measured_is_said():
    assert said([NAN, NAN]) == "No p99 values in this window."


def test_a_breach_is_counted():
    text = said([0.5, 3.0, 4.1], panel=ERRORS)

    assert text == "5xx 4.1 %, between 0.5 % and 4.1 % in this window, 2 points above 1 %."


def test_a_rise_after_a_release_is_named():
    assert "up 40 % since Release 1.4.1 at 13:52" in said([0.1] * 10 + [0.14] * 10, change=RELEASE)
    assert "up 3 times since" in said([0.1] * 10 + [0.3] * 10, change=RELEASE)


def test_a_fall_is_named_too():
    assert "down 50 % since Release 1.4.1" in said([0.2] * 10 + [0.1] * 10, change=RELEASE)


def test_what_did_not_move_is_unchanged():
    assert "unchanged since Release 1.4.1" in said([0.1] * 10 + [0.11] * 10, change=RELEASE)


def test_too_few_values_after_a_change_say_nothing():
    assert "since" not in said([0.1] * 10 + [0.9] * 4, change=RELEASE)


def test_a_day_is_not_compared_with_the_night_before_it():
    values = [1.0] * 100 + [0.1] * 10 + [0.1] * 10

    assert "unchanged" in said(values, change=Change(110, "Release 1.4.1", "13:52"))
