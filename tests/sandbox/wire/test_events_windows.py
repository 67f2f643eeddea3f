"""A window of events that RDS or ElastiCache cannot answer is refused by name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sandbox.errors import AwsError
from sandbox.estate.pages import window

END = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("end", "minutes"),
    [(END, 0), (END, -1), (END, 10**12), (datetime.min.replace(tzinfo=UTC), 60)],
)
def test_a_window_out_of_range_is_refused(end, minutes):
    with pytest.raises(AwsError) as refused:
        window(None, end, minutes)

    assert refused.value.code == "InvalidParameterValue"


def test_a_window_is_as_long_as_its_minutes():
    begin, end = window(None, END, 90)

    assert (begin.isoformat(), end) == ("2026-11-22T10:30:00+00:00", END)
