"""What moto serves of the world: load balancers, images, network, database and cache."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from unittest import mock

from sandbox.alarms.world import ONCALL_TOPIC
from sandbox.balancing.moto_picture import correct
from sandbox.estate import cache, database, guards, network, repositories, roles
from sandbox.estate import plan as network_plan
from sandbox.measurements import resource_id
from sandbox.moto_adapter import backend
from sandbox.names import (
    ACCOUNT,
    REGION,
    last_part,
    listener_arn,
    load_balancer_arn,
    target_group_arn,
)
from sandbox.world import BALANCERS, BalancerPlan

STATUS_PAGE = "news-status"
# What DescribeLoadBalancerAttributes tells; production's and staging's faults differ.
_ATTRIBUTES = {
    "access_logs.s3.enabled": "false",
    "client_keep_alive.seconds": "3600",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.prefix": "",
    "deletion_protection.enabled": "true",
    "idle_timeout.timeout_seconds": "60",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "true",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "zonal_shift.config.enabled": "false",
}
_DIFFERENT = {
    "news-production": {"routing.http.drop_invalid_header_fields.enabled": "false"},
    "news-staging": {
        "deletion_protection.enabled": "false",
        "routing.http.desync_mitigation_mode": "monitor",
    },
}


def seed(epoch: datetime) -> None:
    """Fill moto's memory, the same after every start. `epoch` (UTC) is when the account began."""
    from moto.moto_api._internal import mock_random

    correct()
    network.seed()
    # moto's dates are naive and in UTC.
    for module in (roles, guards, repositories, database, cache):
        # Each its own dice: what one of them creates more does not change the ids of the others.
        mock_random.seed(f"{REGION}/{module.__name__}")
        module.seed(epoch.replace(tzinfo=None))
    with _stable_arns():
        for balancer in BALANCERS:
            _load_balancer(balancer)
        _status_page()
    backend("sns", ACCOUNT, REGION).create_topic(ONCALL_TOPIC)


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


def _load_balancer(plan: BalancerPlan) -> None:
    elb = backend("elbv2", ACCOUNT, REGION)
    _balancer(plan.name, plan.environment, network_plan.ALB, "public", "internet-facing")
    for name in plan.groups:
        elb.create_target_group(
            name,
            protocol="HTTP",
            port="8000",
            vpc_id=network_plan.VPC,
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
    for port in plan.rules:
        _listener(plan, port)


def _listener(plan: BalancerPlan, port: int) -> None:
    elb, listener = backend("elbv2", ACCOUNT, REGION), listener_arn(plan.name, port)
    groups = [{"TargetGroupArn": target_group_arn(name), "Weight": 1} for name in plan.groups]
    actions = [{"Type": "forward", "Order": 1, "ForwardConfig": {"TargetGroups": groups}}]
    conditions = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["*"]}}]
    with _hex_ids(last_part(listener), last_part(plan.rules[port])):
        elb.create_listener(load_balancer_arn(plan.name), "HTTP", str(port), "", None, actions)
        elb.create_rule(listener, conditions, 1, actions)
    if plan.rules[port] not in {rule.arn for rule in elb.describe_rules(listener, None)}:
        raise RuntimeError("moto gave a rule an unexpected ARN")


@contextmanager
def _hex_ids(*ids: str) -> Iterator[None]:
    values = iter(ids)
    with mock.patch("moto.elbv2.models.mock_random") as dice:
        dice.get_random_hex = lambda *_, **__: next(values)
        yield


def _balancer(name: str, environment: str, group: str, tier: str, scheme: str) -> Any:
    """An application load balancer in two zones, with its attributes."""
    elb = backend("elbv2", ACCOUNT, REGION)
    balancer = elb.create_load_balancer(
        name,
        [network_plan.group_id(group)],
        network_plan.subnets(tier),
        scheme=scheme,
        loadbalancer_type="application",
        tags=[{"Key": "environment", "Value": environment}],
    )
    balancer.state = "active"
    balancer.attrs |= _ATTRIBUTES | _DIFFERENT.get(name, {})
    return balancer


def _status_page() -> None:
    """An internal load balancer that answers by itself over HTTPS, by an old TLS policy."""
    _balancer(STATUS_PAGE, "production", network_plan.APP, "app", "internal")
    body = {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": "Nothing to report."}
    action = {"Type": "fixed-response", "Order": 1, "FixedResponseConfig": body}
    with _hex_ids(resource_id(f"{STATUS_PAGE}:443")):
        backend("elbv2", ACCOUNT, REGION).create_listener(
            load_balancer_arn(STATUS_PAGE),
            "HTTPS",
            "443",
            "ELBSecurityPolicy-2016-08",
            guards.certificate(),
            [action],
        )
