"""How much capacity a scaling policy asks for, and whether it gets it. No clock, no I/O.

Sources: Application Auto Scaling user guide, "How target tracking scaling works" and "Step scaling
policies"; Amazon ECS developer guide, "Automatically scale your Amazon ECS service".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

AT_MAXIMUM = "AlreadyAtMaxCapacity"
AT_MINIMUM = "AlreadyAtMinCapacity"
AT_DESIRED = "AlreadyAtDesiredCapacity"
FLAPPING = "AutoScalingAnticipatedFlapping"
UNSCALABLE = "TargetServicePutResourceAsUnscalable"

# Capacities are whole; a quotient this little above a whole number is rounding error.
_ROUNDING = 1e-9

# The capacity a policy asks for when it starts from a capacity.
Wanted = Callable[[int], int]


@dataclass(frozen=True)
class Capacity:
    """A scalable target now: tasks running, the desired count, and the limits of the target."""

    running: int
    desired: int
    minimum: int
    maximum: int


@dataclass(frozen=True)
class Cooldown:
    """The cooldowns in force; times are seconds since 1970.

    Until `out_until`, capacity is counted from `out_base`: what ran before the first scale-out.
    A moment before a cooldown began is not in it: a clock that is stepped back ends both.
    """

    out_until: float = 0.0
    out_base: int = 0
    in_until: float = 0.0
    out_since: float = 0.0
    in_since: float = 0.0

    def grows(self, at: float) -> bool:
        """Whether a scale-out is cooling down."""
        return self.out_since <= at < self.out_until

    def shrinks(self, at: float) -> bool:
        """Whether a scale-in is cooling down."""
        return self.in_since <= at < self.in_until


@dataclass(frozen=True)
class Decision:
    """A new desired count, or one of AWS's codes for not scaling; neither during a cooldown."""

    capacity: int | None = None
    not_scaled: str | None = None


def tracked(metric: float, target: float) -> Wanted:
    """Capacity at which the metric would be at the target: ⌈capacity × metric / target⌉.

    Rounded up both ways, so that capacity is neither too small nor taken away too early.
    """
    return lambda base: max(0, math.ceil(base * metric / target - _ROUNDING))


def scale_out(wanted: Wanted, now: Capacity, cooldown: Cooldown, at: float) -> Decision:
    """Whether to add capacity at `at`; starts from the running count, not the desired one.

    In a cooldown only a larger scale-out than the one before is done, and what that one added is
    part of it.
    """
    base = cooldown.out_base if cooldown.grows(at) else now.running
    asked = max(wanted(base), now.minimum)
    capacity = min(asked, now.maximum)
    if capacity > now.desired:
        return Decision(capacity)
    return Decision(not_scaled=AT_MAXIMUM if now.desired >= now.maximum else AT_DESIRED)


def scale_in(wanted: Wanted, now: Capacity, cooldown: Cooldown, at: float) -> Decision:
    """Whether to remove capacity at `at`: never below what would hold the metric at its target."""
    if now.desired <= now.minimum:
        return Decision(not_scaled=AT_MINIMUM)
    if cooldown.shrinks(at):
        return Decision()
    capacity = min(max(wanted(now.running), now.minimum), now.maximum)
    return Decision(capacity) if capacity < now.desired else Decision(not_scaled=FLAPPING)


def after_scale_out(before: Cooldown, base: int, at: float, seconds: float) -> Cooldown:
    """The cooldowns once capacity was added to `base`; a scale-in cooldown ends with it."""
    kept = before.out_base if before.grows(at) else base
    return Cooldown(out_since=at, out_until=at + seconds, out_base=kept)


def after_scale_in(before: Cooldown, at: float, seconds: float) -> Cooldown:
    """The cooldowns once capacity was removed."""
    return Cooldown(out_base=before.out_base, in_since=at, in_until=at + seconds)


def agreed(ready: Mapping[str, Wanted | None]) -> Wanted | None:
    """What all policies with scale-in ask for together; None (not yet) until every one is ready.

    The largest capacity wins.
    """
    wishes = list(ready.values())
    if not wishes or any(wish is None for wish in wishes):
        return None
    return lambda base: max(wish(base) for wish in wishes if wish is not None)
