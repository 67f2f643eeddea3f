"""The examples of "Suppressing composite alarm actions", at the guide's moments t2 to t9."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sandbox.alarms.suppression import (
    NOTHING,
    Periods,
    composite_changed,
    expired,
    suppressor_changed,
)

TWO = Periods(wait=2, extension=2)


def test_actions_are_done_after_a_wait_without_suppressor():
    waiting = composite_changed(TWO, suppressor_rings=False, at=2)

    assert (waiting.by, waiting.reason) == ("WaitPeriod", "Actions suppressed by WaitPeriod")
    assert not expired(waiting, 3.9).due
    assert expired(waiting, 4).due
    assert expired(waiting, 4).by == ""


def test_a_suppressor_that_rings_during_the_wait_takes_over():
    waiting = composite_changed(TWO, suppressor_rings=False, at=2)

    suppressed = suppressor_changed(waiting, TWO, rings=True, at=3)

    assert suppressed.by == "Alarm"
    assert not expired(suppressed, 99).due


def test_a_change_of_state_discards_the_wait_and_begins_a_new_one():
    composite_changed(TWO, suppressor_rings=False, at=2)

    again = composite_changed(TWO, suppressor_rings=False, at=3)

    assert not expired(again, 4).due
    assert expired(again, 5).due


def test_a_ringing_suppressor_suppresses_at_once():
    assert composite_changed(TWO, suppressor_rings=True, at=2).by == "Alarm"


def test_actions_are_done_after_the_extension():
    suppressed = composite_changed(TWO, suppressor_rings=True, at=2)

    extended = suppressor_changed(suppressed, TWO, rings=False, at=6)

    assert extended.by == "ExtensionPeriod"
    assert not expired(extended, 7.9).due
    assert expired(extended, 8).due


def test_a_change_of_state_during_the_extension_begins_a_wait():
    suppressed = composite_changed(TWO, suppressor_rings=True, at=2)
    suppressor_changed(suppressed, TWO, rings=False, at=6)

    waiting = composite_changed(TWO, suppressor_rings=False, at=7)

    assert waiting.by == "WaitPeriod"
    assert not expired(waiting, 8).due
    assert expired(waiting, 9).due


def test_a_suppressor_that_rings_again_ends_the_extension():
    suppressed = composite_changed(TWO, suppressor_rings=True, at=2)
    extended = suppressor_changed(suppressed, TWO, rings=False, at=6)

    assert suppressor_changed(extended, TWO, rings=True, at=7).by == "Alarm"


def test_without_suppressed_actions_a_suppressor_changes_nothing():
    assert suppressor_changed(NOTHING, TWO, rings=True, at=1) == NOTHING
    assert suppressor_changed(NOTHING, TWO, rings=False, at=2) == NOTHING


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 3)), max_size=12), st.booleans())
def test_actions_are_done_once_a_quiet_suppressor_has_been_quiet_long_enough(events, rings):
    at, state = 0.0, composite_changed(TWO, suppressor_rings=rings, at=0.0)
    for new, pause in events:
        at += pause
        state = expired(state, at)
        state = suppressor_changed(state, TWO, rings=new, at=at)
        rings = new
        assert not (state.due and rings and state.by)

    final = expired(suppressor_changed(state, TWO, rings=False, at=at), at + 2)

    assert final.due
    assert final.by == ""
