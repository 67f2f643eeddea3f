"""Staging's News API, registered over the wire as a target to scale."""

from __future__ import annotations

import pytest

from tests.sandbox.autoscaling.asking import STAGING
from tests.sandbox.contract import checked


@pytest.fixture
def client(account):
    """Application Auto Scaling, with staging's News API registered for one to three tasks."""
    client = account.client("application-autoscaling")
    checked(client, "RegisterScalableTarget", **STAGING, MinCapacity=1, MaxCapacity=3)
    yield client
    if client.describe_scalable_targets(
        ServiceNamespace="ecs", ResourceIds=[STAGING["ResourceId"]]
    )["ScalableTargets"]:
        checked(client, "DeregisterScalableTarget", **STAGING)
