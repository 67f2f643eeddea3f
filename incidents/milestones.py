"""In which order the milestones of an incident may lie. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

START = "impact_started_at"
IN_ORDER = (START, "mitigated_at", "resolved_at", "closed_at")

Times = Mapping[str, datetime | None]


def out_of_order(times: Times) -> tuple[str, str] | None:
    """Return the first two milestones of which the latter lies before the former, or None.

    Nothing may be before the start of the impact, and mitigated ≤ resolved ≤ closed.
    """
    pairs = [(START, name) for name in times if name != START]
    pairs += [(earlier, later) for earlier in IN_ORDER for later in _after(earlier)]
    return next((pair for pair in pairs if _reversed(times, *pair)), None)


def _after(name: str) -> tuple[str, ...]:
    return IN_ORDER[IN_ORDER.index(name) + 1 :]


def _reversed(times: Times, earlier: str, later: str) -> bool:
    before, after = times.get(earlier), times.get(later)
    return before is not None and after is not None and after < before
