"""All of Application Auto Scaling's operations."""

from __future__ import annotations

from sandbox.autoscaling.policies import Policies
from sandbox.autoscaling.scheduled_actions import ScheduledActions
from sandbox.honesty import OUR_READING, SIMPLIFIED, Note


class ApplicationAutoScaling(Policies, ScheduledActions):
    """The gateway looks operations up here by name."""

    NOTES = (
        Note(SIMPLIFIED, "ECS services only; other namespaces have no scalable targets."),
        Note(
            OUR_READING,
            "A target is deregistered within a second of its service's deletion, as users report.",
        ),
        Note(OUR_READING, "A scale-out cooldown begins when the desired count is set."),
        Note(
            OUR_READING,
            "In a scale-out cooldown, capacity is counted from what ran before it; a larger "
            "scale-out begins the cooldown anew.",
        ),
        Note(
            OUR_READING,
            "While a deployment is in flight, a scale-in is not scaled with the code "
            "TargetServicePutResourceAsUnscalable.",
        ),
        Note(OUR_READING, "A change that is not fulfilled within an hour is Unfulfilled."),
        Note(
            OUR_READING,
            "A policy whose alarm SetAlarmState set takes the step that begins at the threshold.",
        ),
    )
