"""What the sandbox's own operations leave out, said beside the code that serves them.

`/_sandbox/operations` and the page at `/_sandbox/` are computed from this. Put a note on the
method that serves the operation; several notes may stand on one method:

    @simplified("One subnet; capacityProviderStrategy is refused.")
    @our_reading("The user guide does not say when the second pause begins; it begins at once.")
    def create_service(self, …): …

What is true of the whole service goes into a class attribute of the object given to
`sandbox.serve`:

    NOTES = (Note(SIMPLIFIED, "Data points of more than 15 days are computed, not stored."),)

A note is one sentence for a person who decides whether to trust a result.

An operation that is only there to be refused, because left alone it would go to moto, carries
`@refused("…")`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

SIMPLIFIED = "simplified"
OUR_READING = "our reading"
REFUSED = "refused"
_ATTRIBUTE = "__sandbox_notes__"

Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True)
class Note:
    """One sentence; `kind` is SIMPLIFIED (AWS does more), OUR_READING (AWS does not say) or
    REFUSED (never carried out).
    """

    kind: str
    text: str


def simplified(text: str) -> Callable[[Method], Method]:
    """Say what AWS does and this operation does not."""
    return _noted(Note(SIMPLIFIED, text))


def our_reading(text: str) -> Callable[[Method], Method]:
    """Say what was decided here because AWS's documentation is unclear."""
    return _noted(Note(OUR_READING, text))


def refused(text: str) -> Callable[[Method], Method]:
    """Say that this operation is never carried out, and what it answers."""
    return _noted(Note(REFUSED, text))


def notes_of(thing: object) -> tuple[Note, ...]:
    """The notes on a method, or, for a service object, those on the whole service."""
    own: tuple[Note, ...] = getattr(thing, _ATTRIBUTE, ()) or getattr(thing, "NOTES", ())
    return own


def _noted(note: Note) -> Callable[[Method], Method]:
    def mark(method: Method) -> Method:
        setattr(method, _ATTRIBUTE, (note, *notes_of(method)))
        return method

    return mark
