"""When a composite alarm's actions wait for its suppressor.

Source: CloudWatch user guide, "Suppressing composite alarm actions", with its examples. Pure: every
function takes the moment, in seconds since 1970, and returns what holds from then on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

WAIT, EXTENSION, ALARM = "WaitPeriod", "ExtensionPeriod", "Alarm"


@dataclass(frozen=True)
class Suppression:
    """`by` is ActionsSuppressedBy, empty when nothing is suppressed.

    `until` ends a wait or an extension. `due` says that actions of the current state have to be
    done now.
    """

    by: str = ""
    until: float | None = None
    due: bool = False

    @property
    def reason(self) -> str:
        """ActionsSuppressedReason."""
        return f"Actions suppressed by {self.by}" if self.by else ""


@dataclass(frozen=True)
class Periods:
    """ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod in seconds."""

    wait: float
    extension: float


NOTHING = Suppression()


def composite_changed(periods: Periods, *, suppressor_rings: bool, at: float) -> Suppression:
    """The composite alarm has changed its state: a wait or an extension under way is discarded."""
    if suppressor_rings:
        return Suppression(ALARM)
    return expired(Suppression(WAIT, at + periods.wait), at)


def suppressor_changed(
    before: Suppression, periods: Periods, *, rings: bool, at: float
) -> Suppression:
    """The suppressor went into ALARM or left it; without suppressed actions nothing follows."""
    if not before.by or rings == (before.by == ALARM):
        return before
    if rings:
        return Suppression(ALARM)
    return expired(Suppression(EXTENSION, at + periods.extension), at)


def expired(before: Suppression, at: float) -> Suppression:
    """Actions are due as soon as a wait or an extension is over."""
    if before.until is None or at < before.until:
        return before
    return Suppression(due=True)


def done(before: Suppression) -> Suppression:
    """The actions that were due are done."""
    return replace(before, due=False)
