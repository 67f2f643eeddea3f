"""What PutLogEvents accepts of a batch (API reference, "PutLogEvents")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.logs.errors import invalid
from sandbox.logs.groups import milliseconds
from sandbox.logs.store import DAY_MS, EVENT_OVERHEAD, size

MAX_BATCH_BYTES = 1_048_576
MAX_BATCH_EVENTS = 10_000
_FUTURE_MS = 2 * 3_600_000
_PAST_MS = 14 * DAY_MS


@dataclass(frozen=True)
class Batch:
    """The accepted (time, message) pairs, and botocore's rejectedLogEventsInfo about the rest."""

    accepted: list[tuple[int, str]]
    rejected: dict[str, int]


def checked(events: Sequence[dict[str, Any]], retention_days: int | None) -> Batch:
    """Sort out what is too old or too new; raises InvalidParameterException for a bad batch."""
    pairs = [(int(event["timestamp"]), str(event["message"])) for event in events]
    _check_size([message for _, message in pairs])
    times = [at for at, _ in pairs]
    if times != sorted(times):
        raise invalid("Log events in a single PutLogEvents request must be in chronological order.")
    batch = _sorted_out(pairs, milliseconds(), retention_days)
    accepted = batch.accepted
    if accepted and accepted[-1][0] - accepted[0][0] > DAY_MS:
        raise invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than "
            "24 hours."
        )
    return batch


def _check_size(messages: Sequence[str]) -> None:
    if not 0 < len(messages) <= MAX_BATCH_EVENTS:
        raise invalid(f"A batch must hold 1 to {MAX_BATCH_EVENTS} log events.")
    sizes = [size(message) for message in messages]
    if max(sizes) > MAX_BATCH_BYTES + EVENT_OVERHEAD:
        raise invalid(f"Log event too large: {max(sizes)} bytes exceeds limit of 1048576")
    if sum(sizes) > MAX_BATCH_BYTES:
        raise invalid(f"Upload too large: {sum(sizes)} bytes exceeds limit of {MAX_BATCH_BYTES}")


def _sorted_out(pairs: Sequence[tuple[int, str]], now: int, retention_days: int | None) -> Batch:
    kept_ms = DAY_MS * retention_days if retention_days else now
    expired = sum(at < now - kept_ms for at, _ in pairs)
    old = sum(at < now - _PAST_MS for at, _ in pairs)
    new = sum(at > now + _FUTURE_MS for at, _ in pairs)
    # Two indices are the end of what was rejected, one is where it starts.
    rejected = {"expiredLogEventEndIndex": expired, "tooOldLogEventEndIndex": old}
    rejected = {name: count for name, count in rejected.items() if count}
    if new:
        rejected["tooNewLogEventStartIndex"] = len(pairs) - new
    return Batch(list(pairs[max(expired, old) : len(pairs) - new]), rejected)
