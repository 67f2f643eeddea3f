"""Operations on scheduled actions."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from sandbox import clock
from sandbox.autoscaling import schedules
from sandbox.autoscaling.errors import invalid, not_found
from sandbox.autoscaling.model import NAMESPACE, Schedule, Target, arn
from sandbox.autoscaling.operations import Answer, listed, page, where
from sandbox.autoscaling.targets import Targets, check_count
from sandbox.honesty import our_reading

MAX_ACTIONS = 200
_SETTINGS = ("Schedule", "Timezone", "StartTime", "EndTime", "ScalableTargetAction")
_NAME = re.compile(r"(?! )[^\x00-\x1f\x7f-\x9f:/|]{1,256}(?<! )")


class ScheduledActions(Targets):
    """Scheduled actions."""

    @our_reading("An at() in the past is accepted and never runs.")
    @our_reading("Days of the week in cron() count from 1, Sunday, as in Amazon EventBridge.")
    @our_reading("Runs that were missed while the sandbox was off are made up for once.")
    def put_scheduled_action(self, ScheduledActionName: str, **parameters: Any) -> Answer:
        """Create or change a scheduled action; raises AwsError."""
        target = self.target(parameters)
        if not _NAME.fullmatch(ScheduledActionName):
            raise invalid(f"ScheduledActionName '{ScheduledActionName}' is not valid")
        known = self.book.schedules.get((target.resource, ScheduledActionName))
        settings = _settings(known, parameters)
        if known is None:
            check_count(
                len(self.book.schedules_of(target.resource)), MAX_ACTIONS, "scheduled actions"
            )
            known = _new(target, ScheduledActionName)
        known.settings, known.ran_until = settings, clock.now()
        self.book.save(known)
        return {}

    def delete_scheduled_action(self, ScheduledActionName: str, **parameters: Any) -> Answer:
        """Delete a scheduled action; raises ObjectNotFoundException."""
        known = self.book.schedules.get((parameters["ResourceId"], ScheduledActionName))
        if known is None:
            raise not_found(
                f"No scheduled action found for {where(parameters)}, scheduled action name: "
                f"{ScheduledActionName}"
            )
        self.book.remove(known)
        return {}

    def describe_scheduled_actions(self, **parameters: Any) -> Answer:
        """Scheduled actions by target and name, 50 a page; raises AwsError."""
        resource, names = parameters.get("ResourceId"), parameters.get("ScheduledActionNames")
        served = listed(parameters, resource)
        found = [
            action
            for action in self.book.schedules.values()
            if resource in {None, action.resource} and (not names or action.name in names)
        ]
        sent, more = page(found if served else [], parameters)
        return {"ScheduledActions": [action.view() for action in sent], **more}


def _settings(known: Schedule | None, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What is given; of a known action all but the start and end time stays. Raises AwsError."""
    before = known.settings if known else {}
    kept = {k: v for k, v in before.items() if k not in {"StartTime", "EndTime"}}
    settings = kept | {name: parameters[name] for name in _SETTINGS if name in parameters}
    if "Schedule" not in settings:
        raise invalid("Schedule is required for a scheduled action")
    schedules.parse(settings["Schedule"], settings.get("Timezone"))
    action = settings.get("ScalableTargetAction") or {}
    if not action:
        raise invalid("MinCapacity or MaxCapacity is required in ScalableTargetAction")
    minimum, maximum = action.get("MinCapacity", 0), action.get("MaxCapacity")
    if minimum < 0 or (maximum is not None and maximum < minimum):
        raise invalid("Maximum capacity cannot be less than minimum capacity")
    if (
        settings.get("StartTime")
        and settings.get("EndTime", settings["StartTime"]) < settings["StartTime"]
    ):
        raise invalid("EndTime must be later than StartTime")
    return settings


def _new(target: Target, name: str) -> Schedule:
    place = f"resource/{NAMESPACE}/{target.resource}:scheduledActionName/{name}"
    now = clock.now()
    return Schedule(
        resource=target.resource,
        name=name,
        arn=arn("autoscaling", f"scheduledAction:{uuid.uuid4()}:{place}"),
        settings={},
        created_at=now,
        ran_until=now,
    )
