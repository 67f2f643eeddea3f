"""Work that is done again and again outlives its own failures."""

from __future__ import annotations

import asyncio
import logging

import pytest

from sandbox.repeating import repeat


def failing_first(times, enough, done):
    def work():
        done.append(len(done))
        if len(done) <= times:
            raise RuntimeError("a defect of the sandbox")
        if len(done) == enough:
            raise asyncio.CancelledError

    return work


def of_a_coroutine(work):
    async def awaited():
        await asyncio.sleep(0)
        work()

    return awaited


@pytest.mark.parametrize("form", [lambda work: work, of_a_coroutine], ids=["function", "coroutine"])
def test_what_fails_is_logged_and_done_again(caplog, form):
    done = []
    caplog.set_level(logging.ERROR, "sandbox.repeating")

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(repeat(form(failing_first(2, 4, done)), "evaluating alarms", every=0))

    assert done == [0, 1, 2, 3]
    said = "evaluating alarms failed; it is tried again"
    assert [record.getMessage() for record in caplog.records] == [said, said]
