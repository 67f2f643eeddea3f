"""What moto serves of the world: load balancers, images, network, database and cache."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

from sandbox.images import IMAGES, REPOSITORY, Image
from sandbox.load_balancers import LoadBalancers, Rule
from sandbox.measurements import resource_id
from sandbox.moto_adapter import backend
from sandbox.names import (
    ACCOUNT,
    REGION,
    listener_arn,
    load_balancer_arn,
    rule_arn,
    target_group_arn,
)
from sandbox.world import BALANCERS, BalancerPlan


def seed(balancers: LoadBalancers, epoch: datetime) -> None:
    """Fill moto's memory, the same after every start. `epoch` (UTC) is when the account began."""
    from moto.moto_api._internal import mock_random

    mock_random.seed(REGION)
    subnets = _network()
    with _stable_arns():
        for plan in BALANCERS:
            _load_balancer(plan, subnets)
    for rule in balancers.rules.values():
        show_weights(rule)
    _registry(epoch)
    _database()
    _cache()


def show_weights(rule: Rule) -> None:
    """Let DescribeRules and DescribeListeners tell the weights in force."""
    groups = [{"TargetGroupArn": g, "Weight": w} for g, w in _integers(rule.weights).items()]
    elb = backend("elbv2", ACCOUNT, REGION)
    for balancer in elb.load_balancers.values():
        for listener in balancer.listeners.values():
            holders = [listener, *listener.rules.values()]
            if rule.arn in listener.rules:
                for holder in holders:
                    _forward(holder, groups)


def _forward(holder: Any, groups: list[dict[str, Any]]) -> None:
    from moto.elbv2.models import FakeAction

    action = FakeAction({"Type": "forward", "Order": 1, "ForwardConfig": {"TargetGroups": groups}})
    if hasattr(holder, "default_actions"):
        holder.default_actions = [action]
    else:
        holder.actions = [action]


def in_alarm(names: Sequence[str]) -> list[str]:
    """Which of these alarms are in ALARM now. moto keeps what SetAlarmState said."""
    alarms = backend("cloudwatch", ACCOUNT, REGION).alarms
    return [name for name in names if name in alarms and alarms[name].state_value == "ALARM"]


def _integers(weights: dict[str, float]) -> dict[str, int]:
    """Weights are integers from 0 to 999: percent, or tenths of it for a share like 2.5 %."""
    factor = 1 if all(float(w).is_integer() for w in weights.values()) else 10
    return {group: min(round(weight * factor), 999) for group, weight in weights.items()}


def _network() -> list[str]:
    ec2 = backend("ec2", ACCOUNT, REGION)
    vpc = next(iter(ec2.describe_vpcs()))
    return [subnet.id for subnet in ec2.describe_subnets() if subnet.vpc_id == vpc.id][:2]


@contextmanager
def _stable_arns() -> Iterator[None]:
    """moto invents ids; CloudWatch's dimensions contain them, so they must not change."""
    module = "moto.elbv2.models"
    with (
        mock.patch(
            f"{module}.make_arn_for_load_balancer", lambda name, **_: load_balancer_arn(name)
        ),
        mock.patch(f"{module}.make_arn_for_target_group", lambda name, **_: target_group_arn(name)),
    ):
        yield


def _load_balancer(plan: BalancerPlan, subnets: list[str]) -> None:
    elb = backend("elbv2", ACCOUNT, REGION)
    vpc = backend("ec2", ACCOUNT, REGION).get_subnet(subnets[0]).vpc_id
    tags = [{"Key": "environment", "Value": plan.environment}]
    balancer = elb.create_load_balancer(
        plan.name, [], subnets, loadbalancer_type="application", tags=tags
    )
    balancer.state = "active"
    for name in plan.groups:
        elb.create_target_group(
            name,
            protocol="HTTP",
            port="8000",
            vpc_id=vpc,
            target_type="ip",
            healthcheck_path="/healthz",
            healthcheck_protocol="HTTP",
            healthcheck_port="traffic-port",
            healthcheck_interval_seconds="5",
            healthcheck_timeout_seconds="3",
            healthy_threshold_count="2",
            unhealthy_threshold_count="3",
            matcher={"HttpCode": "200-299"},
        )
    _listener(plan)


def _listener(plan: BalancerPlan) -> None:
    elb = backend("elbv2", ACCOUNT, REGION)
    groups = [{"TargetGroupArn": target_group_arn(name), "Weight": 1} for name in plan.groups]
    actions = [{"Type": "forward", "Order": 1, "ForwardConfig": {"TargetGroups": groups}}]
    conditions = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["*"]}}]
    with _hex_ids(resource_id(f"{plan.name}:80"), resource_id(f"{plan.name}:production")):
        elb.create_listener(load_balancer_arn(plan.name), "HTTP", "80", "", None, actions)
        elb.create_rule(listener_arn(plan.name), conditions, 1, actions)
    found = elb.describe_rules(listener_arn(plan.name), None)
    if rule_arn(plan.name) not in {rule.arn for rule in found}:
        raise RuntimeError("moto gave the production rule an unexpected ARN")


@contextmanager
def _hex_ids(*ids: str) -> Iterator[None]:
    values = iter(ids)
    with mock.patch("moto.elbv2.models.mock_random") as dice:
        dice.get_random_hex = lambda *_, **__: next(values)
        yield


def _registry(epoch: datetime) -> None:
    ecr = backend("ecr", ACCOUNT, REGION)
    ecr.create_repository(REPOSITORY, None, None, {"scanOnPush": True}, "IMMUTABLE", [])
    for image in IMAGES:
        stored = ecr.put_image(REPOSITORY, _manifest(image), image.tag, digest=image.digest)
        pushed = epoch - timedelta(days=image.pushed_days_ago)
        stored.image_pushed_at = int(pushed.timestamp())


def _manifest(image: Image) -> str:
    config = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 7023}
    layer = {
        "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "size": image.size_bytes,
        "digest": image.digest,
    }
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": config | {"digest": image.digest},
            "layers": [layer],
        }
    )


def _database() -> None:
    backend("rds", ACCOUNT, REGION).create_db_instance(
        {
            "db_instance_identifier": "news-production",
            "db_instance_class": "db.t4g.medium",
            "engine": "postgres",
            "engine_version": "16.4",
            "allocated_storage": 100,
            "storage_type": "gp3",
            "master_username": "news",
            "master_user_password": resource_id("news-production:password"),
            "db_name": "news",
            "multi_az": True,
        }
    )


def _cache() -> None:
    elasticache = backend("elasticache", ACCOUNT, REGION)
    # moto wants every parameter of CreateCacheCluster, most of which this cluster leaves unset.
    unset = dict.fromkeys(inspect.signature(elasticache.create_cache_cluster).parameters)
    elasticache.create_cache_cluster(
        **unset
        | {
            "cache_cluster_id": "news-production-001",
            "cache_node_type": "cache.t4g.small",
            "engine": "valkey",
            "engine_version": "8.0",
            "num_cache_nodes": 1,
        }
    )
