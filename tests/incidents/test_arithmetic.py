from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents import metrics, milestones, severity, suspects
from incidents.models import MILESTONES, Severity
from tests.make import NOON


def change(minutes_before: float, title: str = "Release") -> suspects.Change:
    at = NOON - timedelta(minutes=minutes_before)
    return suspects.Change(at=at, kind="Release", title=title, actor="olga", url="")


def test_changes_before_the_onset_come_nearest_first():
    found = suspects.before_onset([change(41, "Scaling"), change(6)], onset=NOON)

    assert [(one.change.title, one.before) for one in found] == [
        ("Release", 360.0),
        ("Scaling", 2460.0),
    ]


@pytest.mark.parametrize(("minutes", "count"), [(0, 1), (360, 1), (360.1, 0), (-0.1, 0)])
def test_only_the_six_hours_up_to_the_onset_count(minutes, count):
    assert len(suspects.before_onset([change(minutes)], onset=NOON)) == count


@given(st.lists(st.integers(-500, 500)))
def test_no_suspect_is_after_the_onset_and_none_is_out_of_order(minutes):
    found = suspects.before_onset([change(m) for m in minutes], onset=NOON)

    assert [one.before for one in found] == sorted(m * 60 for m in minutes if 0 <= m <= 360)


def test_the_matrix_has_a_row_for_every_severity_in_order():
    assert [level.name for level in severity.LEVELS] == Severity.values


@pytest.mark.parametrize(
    ("name", "minutes", "remaining", "overdue"),
    [("SEV1", 20, 600, False), ("SEV1", 30, 0, False), ("SEV1", 42, 720, True)],
)
def test_updates_fall_due_by_the_cadence_of_the_severity(name, minutes, remaining, overdue):
    due = severity.update_due(severity=name, last_update=NOON, at=NOON + timedelta(minutes=minutes))

    assert (due.seconds, due.overdue) == (remaining, overdue)
    assert due.at == NOON + timedelta(minutes=30)


@pytest.mark.parametrize("name", ["SEV4", "SEV5"])
def test_a_low_severity_owes_no_updates(name):
    assert severity.update_due(severity=name, last_update=NOON, at=NOON) is None


def test_a_summary_says_how_many_it_is_of():
    summary = metrics.summarise([60.0, None, 120.0, 600.0])

    assert summary == metrics.Summary(n=3, median=120.0, p90=600.0)


def test_nothing_summed_up_is_nothing_not_zero():
    assert metrics.summarise([None]) == metrics.Summary(n=0, median=None, p90=None)


@given(st.lists(st.floats(0, 1e7), min_size=1))
def test_median_and_p90_lie_within_the_durations(durations):
    summary = metrics.summarise(durations)

    assert min(durations) <= summary.median <= summary.p90 <= max(durations)
    assert sum(d <= summary.p90 for d in durations) >= 0.9 * len(durations)


@given(st.fixed_dictionaries({name: st.none() | st.integers(0, 5) for name in MILESTONES}))
def test_order_is_refused_exactly_when_it_is_wrong(offsets):
    times = {
        name: None if offset is None else NOON + timedelta(minutes=offset)
        for name, offset in offsets.items()
    }
    known = {name: offset for name, offset in offsets.items() if offset is not None}
    start = known.get("impact_started_at")
    chain = [known[name] for name in milestones.IN_ORDER[1:] if name in known]

    wrong = milestones.out_of_order(times)

    starts_first = start is None or all(offset >= start for offset in known.values())
    assert (wrong is None) == (starts_first and chain == sorted(chain))
