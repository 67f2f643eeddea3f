"""What must hold before a release starts. Pure: a snapshot in, findings with words out.

What could not be read is unknown, never a pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aws.ecr import Image
from aws.ecs.deployments import ServiceFacts
from aws.elbv2 import TargetHealth
from deployments.models import Outcome


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What stands where AWS could not be asked; `why` is the error in words."""

    why: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What AWS said just before the release. `image` None: ECR does not hold it.

    `weights` (target group ARN to weight) is None for a service without a production rule.
    """

    service: ServiceFacts | Unreadable
    deployments: tuple[str, ...] | Unreadable
    image: Image | Unreadable | None
    weights: Mapping[str, int] | Unreadable | None
    health: Mapping[str, TargetHealth] | Unreadable = field(default_factory=dict)
    alarms: Mapping[str, str] | Unreadable = field(default_factory=dict)
    changes: int | Unreadable = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """The part of the release that the checks depend on."""

    strategy: str
    bake_minutes: int
    alarm_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    check: str
    outcome: Outcome
    text: str


def findings(plan: Plan, seen: Snapshot) -> list[Finding]:
    """Return one finding per check, in the order an operator reads them."""
    found = [
        _service(seen),
        _alone(seen),
        _steady(seen),
        _image(seen),
        _scan(seen),
        _changes(seen),
        _alarms(plan, seen),
    ]
    if plan.strategy != "ROLLING":
        found += [_weights(seen), _healthy(seen), _bake(plan), _capacity(seen)]
    return found


def _service(seen: Snapshot) -> Finding:
    name = "Service"
    if isinstance(seen.service, Unreadable):
        return _unknown(name, seen.service)
    if seen.service.controller != "ECS":
        return _block(
            name,
            f"The deployment controller is {seen.service.controller}; "
            "Quarterdeck drives only ECS's own.",
        )
    if seen.service.status != "ACTIVE":
        return _block(name, f"The service is {seen.service.status}, not ACTIVE.")
    return _pass(name, "Active, deployed by ECS itself.")


def _alone(seen: Snapshot) -> Finding:
    name = "No other deployment"
    if isinstance(seen.deployments, Unreadable):
        return _unknown(name, seen.deployments)
    if seen.deployments:
        which = seen.deployments[0].rpartition("/")[2]
        return _block(name, f"ECS is still working on deployment {which} of this service.")
    return _pass(name, "ECS is working on no deployment of this service.")


def _steady(seen: Snapshot) -> Finding:
    name = "Steady state"
    if isinstance(seen.service, Unreadable):
        return _unknown(name, seen.service)
    running, desired = seen.service.running, seen.service.desired
    if desired == 0:
        return _warn(name, "The service wants no tasks, so a new revision cannot prove itself.")
    if not seen.service.is_steady:
        return _warn(name, f"{running} of {desired} tasks run: the service is not steady.")
    return _pass(name, f"{running} of {desired} tasks run.")


def _image(seen: Snapshot) -> Finding:
    name = "Image"
    if isinstance(seen.image, Unreadable):
        return _unknown(name, seen.image)
    if seen.image is None:
        return _block(name, "ECR does not hold this image any more.")
    return _pass(name, f"In ECR since {seen.image.pushed_at:%Y-%m-%d %H:%M} UTC.")


def _scan(seen: Snapshot) -> Finding:
    name = "Image scan"
    if isinstance(seen.image, Unreadable):
        return _unknown(name, seen.image)
    if seen.image is None or seen.image.scan_status not in {"COMPLETE", "ACTIVE"}:
        return Finding(name, Outcome.UNKNOWN, "ECR has no finished scan of this image.")
    severe = {
        level.lower(): seen.image.findings.get(level, 0)
        for level in ("CRITICAL", "HIGH")
        if seen.image.findings.get(level, 0)
    }
    if severe:
        counted = " and ".join(f"{count} {level}" for level, count in severe.items())
        return _warn(name, f"The scan found {counted} vulnerabilities.")
    return _pass(name, "The scan found no critical or high vulnerabilities.")


def _changes(seen: Snapshot) -> Finding:
    name = "Task definition"
    if isinstance(seen.changes, Unreadable):
        return _unknown(name, seen.changes)
    if seen.changes == 0:
        return _warn(name, "Nothing would change: this image already runs.")
    plural = "" if seen.changes == 1 else "s"
    return _pass(name, f"{seen.changes} change{plural}, shown below.")


def _alarms(plan: Plan, seen: Snapshot) -> Finding:
    name = "Rollback alarms"
    if isinstance(seen.service, Unreadable):
        return _unknown(name, seen.service)
    if not plan.alarm_names:
        return _warn(name, "No alarm rolls this service back by itself: somebody must watch.")
    if isinstance(seen.alarms, Unreadable):
        return _unknown(name, seen.alarms)
    if missing := [each for each in plan.alarm_names if each not in seen.alarms]:
        return _block(name, f"CloudWatch does not know the alarm {missing[0]}.")
    if firing := [each for each in plan.alarm_names if seen.alarms[each] == "ALARM"]:
        # ECS ignores all deployment alarms if one is in ALARM when the deployment starts.
        return _warn(
            name,
            f"{firing[0]} is in ALARM now, so ECS would ignore all alarms: "
            "the automatic rollback net is off.",
        )
    return _pass(name, f"{len(plan.alarm_names)} watch this release, none is in ALARM.")


def _weights(seen: Snapshot) -> Finding:
    name = "Load balancer rule"
    if isinstance(seen.weights, Unreadable):
        return _unknown(name, seen.weights)
    if seen.weights is None or len(seen.weights) < 2:
        return _block(
            name, "The production rule must forward to both target groups of the service."
        )
    live = [arn for arn, weight in seen.weights.items() if weight > 0]
    if len(live) != 1:
        return _block(
            name,
            f"{len(live)} target groups take traffic; before a release it must be exactly one.",
        )
    return _pass(name, f"All traffic goes to {group_name(live[0])}.")


def _healthy(seen: Snapshot) -> Finding:
    name = "Target health"
    if isinstance(seen.weights, Unreadable):
        return _unknown(name, seen.weights)
    if isinstance(seen.health, Unreadable):
        return _unknown(name, seen.health)
    live = [arn for arn, weight in (seen.weights or {}).items() if weight > 0]
    counts = [seen.health[arn] for arn in live if arn in seen.health]
    if not counts:
        return Finding(name, Outcome.UNKNOWN, "No health was reported for the live target group.")
    healthy = sum(each.healthy for each in counts)
    if healthy == 0:
        return _block(name, "The target group that takes the traffic has no healthy target.")
    return _pass(name, f"Healthy targets that take the traffic: {healthy}.")


def _bake(plan: Plan) -> Finding:
    name = "Instant rollback"
    if plan.bake_minutes == 0:
        return _warn(
            name, "Without bake time the old tasks stop at once: there is no instant rollback."
        )
    lasting = f"{plan.bake_minutes} deployment minute{'' if plan.bake_minutes == 1 else 's'}"
    return _pass(name, f"Possible for {lasting} after all traffic has moved.")


def _capacity(seen: Snapshot) -> Finding:
    name = "Capacity"
    if isinstance(seen.service, Unreadable):
        return _unknown(name, seen.service)
    return _pass(
        name,
        f"Tasks that run in addition during the release: {seen.service.desired}. "
        "ECS starts the whole new fleet before it moves traffic.",
    )


def group_name(arn: str) -> str:
    """Return the name within a target group's ARN."""
    parts = arn.rpartition(":")[2].split("/")
    return parts[1] if len(parts) > 1 else arn


def _pass(check: str, text: str) -> Finding:
    return Finding(check, Outcome.PASS, text)


def _warn(check: str, text: str) -> Finding:
    return Finding(check, Outcome.WARN, text)


def _block(check: str, text: str) -> Finding:
    return Finding(check, Outcome.BLOCK, text)


def _unknown(check: str, unreadable: Unreadable) -> Finding:
    return Finding(check, Outcome.UNKNOWN, f"Could not be read: {unreadable.why}")
