"""What happens when an alarm triggers a scaling policy."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from sandbox import clock
from sandbox.alarms.actions import AlarmEvent
from sandbox.alarms.service import Alarms
from sandbox.autoscaling import steps, tracking
from sandbox.autoscaling.book import Book
from sandbox.autoscaling.errors import not_found
from sandbox.autoscaling.fulfilment import Fulfilment
from sandbox.autoscaling.metrics import CREATED_BY
from sandbox.autoscaling.model import STEPS, TRACKING, Policy, Target
from sandbox.autoscaling.tracking import Decision, Wanted

# How many of the newest data points decide how much capacity may go: those of the low alarm.
_LOW_POINTS = 15


class Engine:
    """Executes scaling policies; alarms call it once a minute for as long as they ring."""

    def __init__(self, book: Book, fulfilment: Fulfilment, alarms: Alarms) -> None:
        self._book = book
        self._fulfilment = fulfilment
        self._alarms = alarms
        # What the low alarm of a policy last reported, by the policy's ARN.
        self._low: dict[str, tuple[float, ...]] = {}

    async def on_alarm(self, event: AlarmEvent) -> str:
        """Execute the policy whose ARN is the action; the text is for the alarm's history.

        Raises AwsError when there is no such policy.
        """
        policy = self._policy(event.action)
        target = self._book.targets[policy.resource]
        cause = (
            f"monitor alarm {event.alarm_name} in state {event.new_state} "
            f"triggered policy {policy.name}"
        )
        if policy.kind == STEPS:
            return self._step(policy, target, event, cause)
        if not event.values:
            return "No data points to scale by."
        if event.alarm_name != policy.low_alarm:
            wish = _wish(policy, event.values[0])
            return self._scale(policy, target, wish, cause, out=True)
        self._low[policy.arn] = event.values
        agreed = await self._agreed(target)
        if agreed is None:
            return "Another target tracking policy is not ready to scale in."
        return self._scale(policy, target, agreed, cause, out=False)

    def _policy(self, action: str) -> Policy:
        wanted = action.partition(CREATED_BY)[0]
        for policy in self._book.policies.values():
            if policy.arn == wanted:
                return policy
        raise not_found(f"No scaling policy found for {wanted}")

    def _step(self, policy: Policy, target: Target, event: AlarmEvent, cause: str) -> str:
        data = json.loads(event.reason_data or "{}")
        # SetAlarmState tells no value: the step that begins at the threshold is meant.
        metric = _aggregate(policy, event, len(data.get("recentDatapoints", [])))
        threshold = float(data.get("threshold", 0.0 if metric is None else metric))
        metric = threshold if metric is None else metric
        wish = steps.wanted(policy.configuration, metric=metric, threshold=threshold)
        if wish is None:
            return f"No step adjustment covers {metric:g} at a threshold of {threshold:g}."
        now = self._fulfilment.capacity(target)
        out = now is None or wish(now.running) >= now.running
        return self._scale(policy, target, wish, cause, out=out)

    async def _agreed(self, target: Target) -> Wanted | None:
        policies = {
            policy.low_alarm: policy
            for policy in self._book.policies_of(target.resource)
            if policy.kind == TRACKING and policy.low_alarm
        }
        ringing = await self._alarms.in_alarm([name for name in policies if name])
        return tracking.agreed(
            {
                policy.name: self._low_wish(policy) if name in ringing else None
                for name, policy in policies.items()
            }
        )

    def _low_wish(self, policy: Policy) -> Wanted | None:
        values = self._low.get(policy.arn)
        return _wish(policy, max(values[:_LOW_POINTS])) if values else None

    def _scale(self, policy: Policy, target: Target, wish: Wanted, cause: str, *, out: bool) -> str:
        """Decide, act and note; returns what was decided."""
        side = "Out" if out else "In"
        now = self._fulfilment.capacity(target)
        if now is None:
            return "The ECS service does not exist."
        if target.suspended[f"DynamicScaling{side}Suspended"]:
            return f"Scale {side.lower()} is suspended."
        at = clock.time()
        if not out and self._fulfilment.deploying(target):
            decision = Decision(not_scaled=tracking.UNSCALABLE)
        else:
            decide = tracking.scale_out if out else tracking.scale_in
            decision = _in_words_of(policy, decide(wish, now, target.cooldown, at))
        if decision.not_scaled:
            self._fulfilment.not_scaled(target, cause, decision.not_scaled, now)
            return decision.not_scaled
        if decision.capacity is None:
            return "In cooldown."
        self._cool(policy, target, now.running, at, out=out)
        cooling = None if out else policy.cooldown(out=False)
        self._fulfilment.set_desired(target, decision.capacity, cause, cooling)
        return f"Setting desired count to {decision.capacity}."

    def _cool(self, policy: Policy, target: Target, base: int, at: float, *, out: bool) -> None:
        seconds = policy.cooldown(out=out)
        if out:
            target.cooldown = tracking.after_scale_out(target.cooldown, base, at, seconds)
        else:
            target.cooldown = tracking.after_scale_in(target.cooldown, at, seconds)
        self._book.save(target)


def _wish(policy: Policy, metric: float) -> Wanted:
    return tracking.tracked(metric, float(policy.configuration["TargetValue"]))


def _in_words_of(policy: Policy, decision: Decision) -> Decision:
    """Only target tracking anticipates; a step that leads nowhere is at its capacity already."""
    if policy.kind == STEPS and decision.not_scaled == tracking.FLAPPING:
        return replace(decision, not_scaled=tracking.AT_DESIRED)
    return decision


def _aggregate(policy: Policy, event: AlarmEvent, recent: int) -> float | None:
    """The newest data points of the alarm's evaluation as one value, by MetricAggregationType."""
    values: Sequence[float] = event.values[: max(recent, 1)]
    if not values:
        return None
    kind = policy.configuration.get("MetricAggregationType", "Average")
    if kind == "Average":
        return sum(values) / len(values)
    return min(values) if kind == "Minimum" else max(values)
