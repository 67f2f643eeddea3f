"""What Application Auto Scaling remembers, in memory and on disk."""

from __future__ import annotations

from datetime import timedelta

from sandbox import clock
from sandbox.autoscaling.model import (
    Activity,
    Policy,
    Schedule,
    Stored,
    Target,
    document,
    target_from,
)
from sandbox.state import State

KEPT_ACTIVITIES = timedelta(weeks=6)
MOST_ACTIVITIES = 2000
_KINDS = {
    Target: "ScalableTarget",
    Policy: "ScalingPolicy",
    Schedule: "ScheduledAction",
    Activity: "ScalingActivity",
}


class Book:
    """Targets by resource id; policies and scheduled actions by resource id and name.

    Activities are in the order in which they began, from the last six weeks.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self.targets = {t.resource: t for t in map(target_from, state.all(_KINDS[Target]))}
        self.policies = {
            (p.resource, p.name): p for p in (Policy(**d) for d in state.all(_KINDS[Policy]))
        }
        self.schedules = {
            (s.resource, s.name): s for s in (Schedule(**d) for d in state.all(_KINDS[Schedule]))
        }
        self.activities = {
            a.activity_id: a for a in (Activity(**d) for d in state.all(_KINDS[Activity]))
        }

    def save(self, thing: Stored) -> None:
        """Keep a new or changed thing."""
        if isinstance(thing, Target):
            self.targets[thing.resource] = thing
        elif isinstance(thing, Policy):
            self.policies[thing.resource, thing.name] = thing
        elif isinstance(thing, Schedule):
            self.schedules[thing.resource, thing.name] = thing
        else:
            self.activities[thing.activity_id] = thing
            self._forget_old_activities()
        self._state.put(_KINDS[type(thing)], _key(thing), document(thing))

    def remove(self, thing: Target | Policy | Schedule) -> None:
        """Forget a thing."""
        if isinstance(thing, Target):
            del self.targets[thing.resource]
        elif isinstance(thing, Policy):
            del self.policies[thing.resource, thing.name]
        else:
            del self.schedules[thing.resource, thing.name]
        self._state.delete(_KINDS[type(thing)], _key(thing))

    def policies_of(self, resource: str) -> list[Policy]:
        """The policies of one target."""
        return [policy for policy in self.policies.values() if policy.resource == resource]

    def schedules_of(self, resource: str) -> list[Schedule]:
        """The scheduled actions of one target."""
        return [each for each in self.schedules.values() if each.resource == resource]

    def activities_of(self, resource: str) -> list[Activity]:
        """The activities of one target, newest first."""
        return [each for each in reversed(self.activities.values()) if each.resource == resource]

    def _forget_old_activities(self) -> None:
        limit = clock.now() - KEPT_ACTIVITIES
        for old in list(self.activities.values()):
            if old.started_at > limit and len(self.activities) <= MOST_ACTIVITIES:
                return
            del self.activities[old.activity_id]
            self._state.delete(_KINDS[Activity], old.activity_id)


def _key(thing: Stored) -> str:
    if isinstance(thing, Activity):
        return thing.activity_id
    return thing.resource if isinstance(thing, Target) else f"{thing.resource}\n{thing.name}"
