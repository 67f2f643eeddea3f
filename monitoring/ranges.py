"""The stretch of time a page shows, from its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

PRESETS = {
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "14d": timedelta(days=14),
}
DEFAULT = "6h"
LONGEST = timedelta(days=455)
_MINUTE = timedelta(minutes=1)
# The longest stretch shown at so many seconds a point.
_STEPS = ((timedelta(hours=48), 60), (timedelta(days=7), 300), (LONGEST, 1800))


class BadRange(Exception):
    """The address names no stretch of time the portal can show."""


@dataclass(frozen=True, slots=True)
class Range:
    """start <= time < end in UTC; `name` is a preset's, or empty between two fixed times."""

    name: str
    start: datetime
    end: datetime

    @property
    def step(self) -> int:
        """Seconds a point."""
        length = self.end - self.start
        return next(step for longest, step in _STEPS if length <= longest)

    @property
    def query(self) -> str:
        """The address's part that names this range."""
        if self.name:
            return f"range={self.name}"
        return f"from={spelled(self.start)}&to={spelled(self.end)}"

    @property
    def permalink(self) -> str:
        """The same stretch as fixed times."""
        return f"from={spelled(self.start)}&to={spelled(self.end)}"


def spelled(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


def parse(parameters: Mapping[str, str], *, at: datetime) -> Range:
    """Return the range that `range`, or `from` and `to`, name; both ends are whole minutes.

    :raises BadRange: with a sentence for the person who asked.
    """
    begin, end = parameters.get("from", ""), parameters.get("to", "")
    if begin or end:
        return _fixed(begin, end, at)
    name = parameters.get("range") or DEFAULT
    if name not in PRESETS:
        raise BadRange(f"“range” must be one of {', '.join(PRESETS)}.")
    last = at.replace(second=0, microsecond=0)
    return Range(name, last - PRESETS[name], last)


def _fixed(begin: str, end: str, at: datetime) -> Range:
    start = _moment(begin, "from")
    stop = _moment(end, "to") if end else at.replace(second=0, microsecond=0)
    if start >= stop:
        raise BadRange("“from” must be before “to”.")
    if stop - start > LONGEST:
        raise BadRange(f"At most {LONGEST.days} days can be shown at once.")
    return Range("", start, stop)


def _moment(text: str, name: str) -> datetime:
    """Return ISO 8601 as UTC, without an offset taken as UTC, cut to the minute."""
    try:
        moment = datetime.fromisoformat(text)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return aware.astimezone(UTC).replace(second=0, microsecond=0)
    except (ValueError, OverflowError):
        raise BadRange(f"“{name}” must be a time such as 2026-03-02T14:00Z.") from None
