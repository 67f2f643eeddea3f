"""How many tasks of a revision to start, and which to stop, when some of them are unhealthy.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_services.html: a replacement for
each unhealthy task is started first, as far as maximumPercent allows, and the unhealthy task is
stopped when its replacement is healthy. Without room for a replacement one unhealthy task is
stopped at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.ecs.model import Task


@dataclass(frozen=True)
class Tasks:
    """The live tasks of a revision, each list oldest first."""

    healthy: Sequence[Task]
    starting: Sequence[Task]
    unhealthy: Sequence[Task]

    @property
    def well(self) -> list[Task]:
        """Those that need no replacement."""
        return sorted([*self.healthy, *self.starting], key=lambda task: task.created_at)

    def count(self) -> int:
        """All of them."""
        return len(self.healthy) + len(self.starting) + len(self.unhealthy)

    def to_start(self, want: int, most: int) -> int:
        """How many to start, so that `want` are or become healthy and no more than `most` live."""
        return max(0, min(want - len(self.well), most - self.count()))

    def surplus(self, want: int) -> list[Task]:
        """The newest well tasks beyond `want`; protected ones stay, however many there are."""
        free = [task for task in self.well if not task.protected()]
        beyond = len(self.well) - want
        return free[-beyond:] if beyond > 0 else []

    def replaced(self, want: int, most: int) -> list[Task]:
        """The unhealthy tasks to stop now.

        The oldest go first; ECS does not say which one of an unhealthy task and its equally
        unhealthy replacement it stops.
        """
        over = len(self.unhealthy) - max(0, want - len(self.healthy))
        if over > 0:
            return list(self.unhealthy[:over])
        no_room = not self.starting and len(self.healthy) < want and self.count() >= most
        return list(self.unhealthy[:1]) if no_room else []
