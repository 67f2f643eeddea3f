"""Operations on scalable targets and their tags, and on scaling activities."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox import clock
from sandbox.autoscaling.errors import check_enum, invalid, too_many
from sandbox.autoscaling.model import SUSPENSIONS, Policy, Target, arn
from sandbox.autoscaling.operations import Answer, Operations, listed, named, page
from sandbox.errors import AwsError
from sandbox.honesty import our_reading, simplified

MAX_TAGS = 50

log = logging.getLogger("sandbox.autoscaling")


class Targets(Operations):
    """Scalable targets."""

    @simplified("ECS services only. RoleARN is accepted; the service-linked role is always used.")
    def register_scalable_target(self, **parameters: Any) -> Answer:
        """Register or change a target and bring its capacity within limits; raises AwsError."""
        resource = named(parameters)
        if self.fulfilment.service(resource) is None:
            raise invalid(f"ECS service doesn't exist: {resource}")
        known = self.book.targets.get(resource)
        target = self._changed(known, parameters) if known else _new(resource, parameters)
        target.suspended |= _suspensions(parameters.get("SuspendedState", {}))
        self.book.save(target)
        self.fulfilment.bound(target)
        return {"ScalableTargetARN": target.arn}

    def _changed(self, target: Target, parameters: Mapping[str, Any]) -> Target:
        if parameters.get("Tags"):
            raise invalid(
                "The scalable target that you tried to tag already exists. To update tags on an "
                "existing scalable target, use the TagResource API."
            )
        limits = _limits(
            parameters.get("MinCapacity", target.minimum),
            parameters.get("MaxCapacity", target.maximum),
        )
        target.minimum, target.maximum = limits
        return target

    async def deregister_scalable_target(self, **parameters: Any) -> Answer:
        """Forget a target, its policies with their alarms, and its scheduled actions."""
        await self.forget(self.target(parameters))
        return {}

    async def forget(self, target: Target) -> None:
        """Forget a target with all that hangs on it; nothing if that was done meanwhile."""
        async with self.changing:
            for policy in self.book.policies_of(target.resource):
                await self.drop(policy)
            for schedule in self.book.schedules_of(target.resource):
                self.book.remove(schedule)
            if target.resource in self.book.targets:
                self.book.remove(target)

    async def drop(self, policy: Policy) -> None:
        """Forget a policy and, of target tracking, its alarms."""
        self.book.remove(policy)
        await self.forget_alarms(policy.alarms)

    async def forget_alarms(self, names: Sequence[str]) -> None:
        """Delete those of a policy's alarms that are still there and that nothing follows."""
        for name in await self.existing(names):
            try:
                await self.alarms.delete_alarms(AlarmNames=[name])
            except AwsError as error:  # a composite alarm's rule must not keep the policy alive
                log.warning("an alarm outlives its scaling policy: %s", error)

    async def existing(self, names: Sequence[str]) -> list[str]:
        """Those of a policy's alarms that nobody deleted behind its back."""
        return [name for name in names if self.alarms.exists(name)]

    def describe_scalable_targets(self, **parameters: Any) -> Answer:
        """Targets by resource id, 50 a page; raises AwsError."""
        wanted = parameters.get("ResourceIds")
        served = listed(parameters, wanted[0] if wanted else None)
        found = [t for t in self.book.targets.values() if not wanted or t.resource in wanted]
        sent, more = page(found if served else [], parameters)
        return {"ScalableTargets": [target.view() for target in sent], **more}

    @simplified("The newest 2,000 activities of the account are kept.")
    @our_reading("An activity that was not scaled is told once, until reason or capacity change.")
    def describe_scaling_activities(self, **parameters: Any) -> Answer:
        """Activities of the last six weeks, newest first; raises AwsError."""
        resource = parameters.get("ResourceId")
        served = listed(parameters, resource)
        hidden = not parameters.get("IncludeNotScaledActivities")
        found = [
            activity
            for activity in reversed(self.book.activities.values())
            if resource in {None, activity.resource} and not (hidden and activity.reasons)
        ]
        sent, more = page(found if served else [], parameters)
        return {"ScalingActivities": [activity.view() for activity in sent], **more}

    # -- tags ------------------------------------------------------------------------------------

    def tag_resource(self, ResourceARN: str, Tags: Mapping[str, str]) -> Answer:
        """Add tags to a target; raises ResourceNotFoundException or TooManyTagsException."""
        target = self._tagged(ResourceARN)
        target.tags = _checked_tags({**target.tags, **Tags})
        self.book.save(target)
        return {}

    def untag_resource(self, ResourceARN: str, TagKeys: Sequence[str]) -> Answer:
        """Take tags from a target; raises ResourceNotFoundException."""
        target = self._tagged(ResourceARN)
        target.tags = {key: value for key, value in target.tags.items() if key not in TagKeys}
        self.book.save(target)
        return {}

    def list_tags_for_resource(self, ResourceARN: str) -> Answer:
        """The tags of a target; raises ResourceNotFoundException."""
        return {"Tags": dict(self._tagged(ResourceARN).tags)}

    def _tagged(self, reference: str) -> Target:
        for target in self.book.targets.values():
            if target.arn == reference:
                return target
        raise AwsError("ResourceNotFoundException", f"The resource {reference} doesn't exist.")


def _new(resource: str, parameters: Mapping[str, Any]) -> Target:
    if "MinCapacity" not in parameters or "MaxCapacity" not in parameters:
        raise invalid("MinCapacity and MaxCapacity are required to register a scalable target")
    minimum, maximum = _limits(parameters["MinCapacity"], parameters["MaxCapacity"])
    return Target(
        resource=resource,
        arn=arn("application-autoscaling", f"scalable-target/0ec5{secrets.token_hex(15)}"),
        minimum=minimum,
        maximum=maximum,
        created_at=clock.now(),
        tags=_checked_tags(dict(parameters.get("Tags", {}))),
    )


def _limits(minimum: int, maximum: int) -> tuple[int, int]:
    if min(minimum, maximum) < 0:
        raise invalid("Minimum capacity and maximum capacity must not be negative")
    if maximum < minimum:
        raise invalid("Maximum capacity cannot be less than minimum capacity")
    return minimum, maximum


def _suspensions(given: Mapping[str, bool]) -> dict[str, bool]:
    for name in given:
        check_enum(name, "suspendedState", SUSPENSIONS)
    return dict(given)


def _checked_tags(tags: dict[str, str]) -> dict[str, str]:
    if len(tags) > MAX_TAGS:
        raise AwsError("TooManyTagsException", f"A resource can have at most {MAX_TAGS} tags.")
    return tags


def check_count(found: int, most: int, what: str) -> None:
    """Raise LimitExceededException when a target has `most` of something already."""
    if found >= most:
        raise too_many(f"A scalable target can have at most {most} {what}")
