"""The deployment circuit breaker: when too many tasks failed."""

from __future__ import annotations

import math
from typing import Any

from sandbox.ecs.model import Deployment, Revision

# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
LEAST, MOST = 3, 200
DEFAULT: dict[str, Any] = {"type": "BOUNDED_PERCENT", "value": 50}


def configured(deployment: Deployment) -> dict[str, Any]:
    """The deploymentCircuitBreaker of a deployment, empty when it has none."""
    found: dict[str, Any] = deployment.configuration.get("deploymentCircuitBreaker", {})
    return found


def threshold(breaker: dict[str, Any], desired: int) -> int:
    """How many failed tasks trip the breaker of a service that desires so many tasks.

    COUNT is the number itself; the percentages are of the desired count, rounded up, and
    BOUNDED_PERCENT lies between 3 and 200.
    """
    chosen = DEFAULT | breaker.get("thresholdConfiguration", {})
    if chosen["type"] == "COUNT":
        return int(chosen["value"])
    share: int = math.ceil(desired * chosen["value"] / 100)
    return share if chosen["type"] == "UNBOUNDED_PERCENT" else min(max(share, LEAST), MOST)


def failures(breaker: dict[str, Any], target: Revision) -> int:
    """Failed tasks that count: in a row, or all of them when a healthy task resets nothing."""
    return target.failures if breaker.get("resetOnHealthyTask", True) else target.failures_ever


def trips(breaker: dict[str, Any], failed: int, desired: int) -> bool:
    """Whether so many failures are too many; a threshold of 0 needs one all the same."""
    return bool(breaker.get("enable")) and failed >= max(1, threshold(breaker, desired))
