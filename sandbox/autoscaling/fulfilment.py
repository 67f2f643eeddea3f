"""Setting a service's desired count, and the activity that tells how it went."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from sandbox import clock
from sandbox.autoscaling import tracking
from sandbox.autoscaling.book import Book
from sandbox.autoscaling.model import Activity, Target
from sandbox.autoscaling.tracking import Capacity
from sandbox.ecs.account import Account
from sandbox.ecs.controller import Controller
from sandbox.ecs.model import Service
from sandbox.errors import AwsError

# How often a service in change is looked at, in real seconds: tasks start in real time.
LOOK_EVERY = 0.2
# Sandbox seconds until a change that is not fulfilled is given up.
GIVE_UP_AFTER = 3600.0

Spawn = Callable[[Coroutine[Any, Any, Any]], None]


class Fulfilment:
    """The only place that scales services."""

    def __init__(self, book: Book, account: Account, controller: Controller, spawn: Spawn) -> None:
        self._book = book
        self._account = account
        self._controller = controller
        self._spawn = spawn

    def resume(self) -> None:
        """Follow the activities that a stop of the sandbox interrupted."""
        for activity in self._book.activities.values():
            if activity.in_progress:
                self._spawn(self._follow(activity))

    # -- the service -----------------------------------------------------------------------------

    def service(self, resource: str) -> Service | None:
        """The active ECS service of a resource id; None when there is none."""
        try:
            _, cluster, name = resource.split("/")
            found = self._account.find_service(self._account.cluster(cluster), name)
        except (AwsError, ValueError):
            return None
        return found if found and found.status == "ACTIVE" else None

    def capacity(self, target: Target) -> Capacity | None:
        """The target as scaling decisions see it; None when its service is gone."""
        service = self.service(target.resource)
        if service is None:
            return None
        return Capacity(self._running(service), service.desired, target.minimum, target.maximum)

    def _running(self, service: Service) -> int:
        """Running tasks of the revision that has most of them: a deployment runs two at once."""
        counts = [
            sum(task.last_status == "RUNNING" for task in self._account.live_tasks(revision))
            for revision in self._account.current_revisions(service)
        ]
        return max(counts, default=0)

    def deploying(self, target: Target) -> bool:
        """Whether a deployment of the service is in flight."""
        service = self.service(target.resource)
        return service is not None and bool(self._account.in_flight(service))

    # -- activities ------------------------------------------------------------------------------

    def set_desired(
        self, target: Target, capacity: int, cause: str, cooling: float | None = None
    ) -> Activity:
        """Scale the service to `capacity`; the activity ends when its tasks run.

        `cooling` is the cooldown, in sandbox seconds, that begins when a scale-in completes.
        """
        activity = _new(target, f"Setting desired count to {capacity}.", cause)
        activity.desired, activity.cooling = capacity, cooling
        service = self.service(target.resource)
        if service is None:
            return self._end(activity, "Failed", _failure(capacity, "Service not found."))
        try:
            self._controller.scale(service, capacity)
        except AwsError as error:
            return self._end(activity, "Failed", _failure(capacity, error.message))
        activity.status = "InProgress"
        activity.message = f"{_done(capacity)} Waiting for change to be fulfilled by ecs."
        self._book.save(activity)
        self._spawn(self._follow(activity))
        return activity

    def bound(self, target: Target) -> None:
        """Bring the desired count within the limits of the target; nothing if it is already."""
        now = self.capacity(target)
        if now is None:
            return
        if now.desired < now.minimum:
            self.set_desired(target, now.minimum, f"minimum capacity was set to {now.minimum}")
        elif now.desired > now.maximum:
            self.set_desired(target, now.maximum, f"maximum capacity was set to {now.maximum}")

    def set_limits(self, target: Target, minimum: int, maximum: int, cause: str) -> None:
        """Set the limits of the target as scheduled, then bring its capacity within them."""
        limits = f"min capacity to {minimum} and max capacity to {maximum}"
        activity = _new(target, f"Setting {limits}", cause)
        if minimum > maximum:
            reason = "Maximum capacity cannot be less than minimum capacity"
            self._end(activity, "Failed", f"Failed to set {limits}. Reason: {reason}")
            return
        target.minimum, target.maximum = minimum, maximum
        self._book.save(target)
        activity.status, activity.message = "Successful", f"Successfully set {limits}"
        self._book.save(activity)
        self.bound(target)

    def not_scaled(self, target: Target, cause: str, reason: str, now: Capacity) -> None:
        """Note that nothing was done; once, until the reason or something else changes."""
        details: dict[str, Any] = {"Code": reason, **_limit(reason, now)}
        latest = next(
            (
                a
                for a in self._book.activities_of(target.resource)
                if not a.reasons or a.cause == cause
            ),
            None,
        )
        if latest is not None and latest.reasons == [details]:
            return
        activity = _new(target, "Attempting to scale due to alarm triggered", cause)
        activity.reasons, activity.status = [details], "Failed"
        self._book.save(activity)

    def _end(self, activity: Activity, status: str, message: str) -> Activity:
        activity.status, activity.message, activity.ended_at = status, message, clock.now()
        self._book.save(activity)
        return activity

    async def _follow(self, activity: Activity) -> None:
        while not self._settle(activity):
            await asyncio.sleep(LOOK_EVERY)

    def _settle(self, activity: Activity) -> bool:
        """End the activity once its outcome is known; True then."""
        service = self.service(activity.resource)
        wanted = activity.desired or 0
        if service is None:
            self._end(activity, "Failed", _failure(wanted, "Service not found."))
        elif service.desired != wanted:
            text = f"{_done(wanted)} Found it was later changed to {service.desired}."
            self._end(activity, "Overridden", text)
        elif self._running(service) == wanted:
            self._complete(activity)
        elif clock.time() - activity.started_at.timestamp() > GIVE_UP_AFTER:
            text = f"{_done(wanted)} The change was not fulfilled by ecs in time."
            self._end(activity, "Unfulfilled", text)
        return not activity.in_progress

    def _complete(self, activity: Activity) -> None:
        text = f"{_done(activity.desired or 0)} Change successfully fulfilled by ecs."
        self._end(activity, "Successful", text)
        target = self._book.targets.get(activity.resource)
        if target is not None and activity.cooling is not None:
            at = clock.time()
            target.cooldown = replace(target.cooldown, in_since=at, in_until=at + activity.cooling)
            self._book.save(target)


def _new(target: Target, description: str, cause: str) -> Activity:
    return Activity(
        activity_id=str(uuid.uuid4()),
        resource=target.resource,
        description=description,
        cause=cause,
        started_at=clock.now(),
    )


def _limit(reason: str, now: Capacity) -> dict[str, int]:
    """The capacity that a NotScaledReason tells beside its code."""
    if reason == tracking.AT_MAXIMUM:
        return {"MaxCapacity": now.maximum}
    if reason == tracking.AT_MINIMUM:
        return {"MinCapacity": now.minimum}
    return {"CurrentCapacity": now.desired}


def _done(capacity: int) -> str:
    return f"Successfully set desired count to {capacity}."


def _failure(capacity: int, reason: str) -> str:
    return f"Failed to set desired count to {capacity}. Reason: {reason}"
