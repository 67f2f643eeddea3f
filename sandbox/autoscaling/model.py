"""Scalable targets, scaling policies, scheduled actions and scaling activities.

Everything is plain data: it is stored as JSON and answered in botocore's output shapes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sandbox.autoscaling.tracking import Cooldown
from sandbox.names import ACCOUNT, REGION

NAMESPACE = "ecs"
DIMENSION = "ecs:service:DesiredCount"
TRACKING, STEPS = "TargetTrackingScaling", "StepScaling"
# Seconds, unless the policy says otherwise; the default for ECS services.
DEFAULT_COOLDOWN = 300
SUSPENSIONS = (
    "DynamicScalingInSuspended",
    "DynamicScalingOutSuspended",
    "ScheduledScalingSuspended",
)
ROLE = (
    f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_ECSService"
)
IN_PROGRESS = ("Pending", "InProgress")


def arn(service: str, rest: str) -> str:
    """`arn:aws:<service>:us-east-1:123456789012:<rest>`."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"


def _place(resource: str) -> dict[str, str]:
    return {
        "ServiceNamespace": NAMESPACE,
        "ResourceId": resource,
        "ScalableDimension": DIMENSION,
    }


@dataclass
class Target:
    """A scalable target: one ECS service, `service/<cluster>/<name>`."""

    resource: str
    arn: str
    minimum: int
    maximum: int
    created_at: datetime
    suspended: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(SUSPENSIONS, False))
    tags: dict[str, str] = field(default_factory=dict)
    cooldown: Cooldown = field(default_factory=Cooldown)

    @property
    def service(self) -> tuple[str, str]:
        """Cluster and name of the ECS service."""
        _, cluster, name = self.resource.split("/")
        return cluster, name

    def view(self) -> dict[str, Any]:
        """As DescribeScalableTargets tells it."""
        return _place(self.resource) | {
            "MinCapacity": self.minimum,
            "MaxCapacity": self.maximum,
            "RoleARN": ROLE,
            "CreationTime": self.created_at,
            "SuspendedState": dict(self.suspended),
            "ScalableTargetARN": self.arn,
        }


@dataclass
class Policy:
    """A scaling policy; `configuration` is its botocore configuration, `alarms` are names."""

    resource: str
    name: str
    kind: str
    arn: str
    configuration: dict[str, Any]
    created_at: datetime
    alarms: list[str] = field(default_factory=list)

    @property
    def low_alarm(self) -> str | None:
        """The alarm of a target tracking policy that lets it remove capacity."""
        return next((name for name in self.alarms if "-AlarmLow-" in name), None)

    def cooldown(self, *, out: bool) -> float:
        """Seconds to wait after this policy added (or removed) capacity."""
        key = "Cooldown" if self.kind == STEPS else f"Scale{'Out' if out else 'In'}Cooldown"
        return float(self.configuration.get(key, DEFAULT_COOLDOWN))

    def view(self, alarms: list[dict[str, str]]) -> dict[str, Any]:
        """As DescribeScalingPolicies tells it."""
        return _place(self.resource) | {
            "PolicyARN": self.arn,
            "PolicyName": self.name,
            "PolicyType": self.kind,
            f"{self.kind}PolicyConfiguration": self.configuration,
            "Alarms": alarms,
            "CreationTime": self.created_at,
        }


@dataclass
class Schedule:
    """A scheduled action; `settings` are Schedule, Timezone, StartTime and so on as given.

    `ran_until` is the moment up to which every run is done.
    """

    resource: str
    name: str
    arn: str
    settings: dict[str, Any]
    created_at: datetime
    ran_until: datetime

    def view(self) -> dict[str, Any]:
        """As DescribeScheduledActions tells it."""
        return _place(self.resource) | {
            "ScheduledActionName": self.name,
            "ScheduledActionARN": self.arn,
            "CreationTime": self.created_at,
            **self.settings,
        }


@dataclass
class Activity:
    """A scaling activity. `desired` is the count it sets, None when it sets something else.

    `reasons` are NotScaledReasons; `cooling` the seconds of cooldown when a scale-in completes.
    """

    activity_id: str
    resource: str
    description: str
    cause: str
    started_at: datetime
    status: str = "Pending"
    message: str = ""
    ended_at: datetime | None = None
    desired: int | None = None
    cooling: float | None = None
    reasons: list[dict[str, Any]] = field(default_factory=list)

    @property
    def in_progress(self) -> bool:
        """Whether it is not over."""
        return self.status in IN_PROGRESS

    def view(self) -> dict[str, Any]:
        """As DescribeScalingActivities tells it."""
        optional = {
            "EndTime": self.ended_at,
            "StatusMessage": self.message,
            "NotScaledReasons": self.reasons,
        }
        return (
            _place(self.resource)
            | {
                "ActivityId": self.activity_id,
                "Description": self.description,
                "Cause": self.cause,
                "StartTime": self.started_at,
                "StatusCode": self.status,
            }
            | {name: value for name, value in optional.items() if value}
        )


Stored = Target | Policy | Schedule | Activity


def document(thing: Stored) -> dict[str, Any]:
    """What is stored of a thing."""
    return asdict(thing)


def target_from(body: Mapping[str, Any]) -> Target:
    """A stored target."""
    return Target(**{**body, "cooldown": Cooldown(**body["cooldown"])})
