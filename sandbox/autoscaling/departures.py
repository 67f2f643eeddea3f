"""A scalable target goes with its service, as users of AWS report it."""

from __future__ import annotations

from sandbox.autoscaling.targets import Targets
from sandbox.repeating import paced, repeat

# How often it is looked for services that are gone, in sandbox seconds and at least in real ones.
_LOOK_EVERY, _REAL_PAUSE = 1.0, 0.2


class Departures:
    """Deregisters the targets whose ECS service was deleted."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets

    async def run(self) -> None:
        """Look for ever; ends when cancelled."""
        await repeat(self.round, "looking for services", every=paced(_LOOK_EVERY, _REAL_PAUSE))

    async def round(self) -> None:
        """Deregister what has lost its service by now."""
        for target in list(self._targets.book.targets.values()):
            if self._targets.fulfilment.service(target.resource) is None:
                await self._targets.forget(target)
