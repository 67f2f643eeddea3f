"""What every effect returns, and how it finds the part of the account it acts on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sandbox.context import Context
from sandbox.switches import Switch

Thing = TypeVar("Thing")
Given = Mapping[str, Any]
End = Callable[[], Awaitable[None]]


class Unserved(Exception):
    """The part of the account this fault acts on is not there."""


class CannotHappen(Exception):
    """The fault is known, but there is nothing now that it could happen to."""


@dataclass(frozen=True)
class Started:
    """What a fault did: one sentence, how to undo it, and the switch that counts its hits.

    `seconds` of sandbox time is how long it goes on by itself, None until it is cleared.
    """

    says: str
    end: End | None = None
    switch: Switch | None = None
    seconds: float | None = None


Effect = Callable[[Context, Given], Awaitable[Started]]


def part(sandbox: Context, kind: type[Thing], what: str) -> Thing:
    """The part of this type. Raises Unserved, which names `what` is missing."""
    found = sandbox.find(kind)
    if found is None:
        raise Unserved(f"This sandbox does not serve {what}.")
    return found


def undo(work: Callable[[], object]) -> End:
    """An end that is one plain call."""

    async def end() -> None:
        work()

    return end
