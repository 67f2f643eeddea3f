"""The scalable target of a fresh account: production's News API, two to ten tasks."""

from __future__ import annotations

from sandbox.autoscaling.model import DIMENSION, NAMESPACE, TRACKING
from sandbox.autoscaling.service import ApplicationAutoScaling

NEWS_API = {
    "ServiceNamespace": NAMESPACE,
    "ResourceId": "service/production/news-api",
    "ScalableDimension": DIMENSION,
}
POLICY = "news-api-cpu"


async def settle(service: ApplicationAutoScaling) -> None:
    """Register it and let it follow its CPU; what a kill -9 left of the last attempt stays."""
    resource = NEWS_API["ResourceId"]
    if resource not in service.book.targets:
        service.register_scalable_target(
            **NEWS_API,
            MinCapacity=2,
            MaxCapacity=10,
            Tags={"service": "news-api", "environment": "production", "owner": "news"},
        )
    if (resource, POLICY) not in service.book.policies:
        await _follow_cpu(service)


async def _follow_cpu(service: ApplicationAutoScaling) -> None:
    await service.put_scaling_policy(
        **NEWS_API,
        PolicyName=POLICY,
        PolicyType=TRACKING,
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 60.0,
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "ECSServiceAverageCPUUtilization"
            },
            "ScaleOutCooldown": 60,
            "ScaleInCooldown": 300,
        },
    )
