"""What a fresh account contains: docs/architecture.md, "The sandbox's world"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.balancing.model import TargetGroup
from sandbox.ecs import past
from sandbox.ecs.account import Account
from sandbox.ecs.api import Ecs
from sandbox.ecs.controller import Controller
from sandbox.estate import plan as network
from sandbox.images import IMAGES
from sandbox.load_balancers import Listener, LoadBalancers, Rule
from sandbox.measurements import load_balancer_dimension, resource_id
from sandbox.names import (
    ACCOUNT,
    REGION,
    TEST_PORT,
    listener_arn,
    rule_arn,
    secret_arn,
    target_group_arn,
    tester_rule_arn,
)
from sandbox.settings import Settings


@dataclass(frozen=True)
class BalancerPlan:
    """One load balancer of the world: its name, its environment and its two target groups.

    With `tested` it listens for test traffic too, by a rule of its own.
    """

    name: str
    environment: str
    groups: tuple[str, str]
    tested: bool = False

    @property
    def rules(self) -> dict[int, str]:
        """The ARN of the rule on each port it listens on."""
        test = {TEST_PORT: tester_rule_arn(self.name)} if self.tested else {}
        return {80: rule_arn(self.name), **test}


BALANCERS = (
    BalancerPlan("news-production", "production", ("news-api-blue", "news-api-green"), tested=True),
    BalancerPlan("news-staging", "staging", ("news-staging-blue", "news-staging-green")),
)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ecs-load-balancers"
RUNNING_TAG = "1.4.0"


def balancer_ports(settings: Settings) -> dict[str, int]:
    """The port of each load balancer by its dimension value: staging follows production."""
    return {
        load_balancer_dimension(plan.name): settings.alb_port + offset
        for offset, plan in enumerate(BALANCERS)
    }


def add_rules(balancers: LoadBalancers, settings: Settings, kept: Mapping[str, Any] | None) -> None:
    """What the load balancers did before a restart (`kept`), or what a new account's do.

    moto, which tells the same with more detail, takes seconds to come up.
    """
    if kept:
        balancers.restore(kept)
    else:
        _begin(balancers)
    for balancer, port in balancer_ports(settings).items():
        first = balancers.listeners.get(listener_arn(balancer.split("/")[1]))
        if first is not None:
            first.answers, first.elsewhere = port, False


def _begin(balancers: LoadBalancers) -> None:
    """Each listener with its rule, all traffic to the first target group."""
    for plan in BALANCERS:
        first, second = (target_group_arn(name) for name in plan.groups)
        balancer = load_balancer_dimension(plan.name)
        for port, rule in plan.rules.items():
            listener = Listener(listener_arn(plan.name, port), balancer, port)
            balancers.listeners[listener.arn] = listener
            weights = {first: 100.0, second: 0.0}
            balancers.rules[rule] = Rule(rule, balancer, weights, listener.arn)
        for group in (first, second):
            balancers.groups[group] = TargetGroup(group, 8000)


def settle(
    ecs: Ecs, account: Account, controller: Controller, settings: Settings, epoch: datetime
) -> None:
    """Create clusters, task definitions and services in an empty account, and its past."""
    notice = f"Sandbox: a deployment minute takes {settings.seconds_per_minute:g} s"
    # Staging saves Container Insights: a fault on purpose.
    for name, insights in (("production", "enhanced"), ("staging", "disabled")):
        ecs.create_cluster(
            clusterName=name,
            tags=_tags({"quarterdeck:notice": notice}),
            settings=[{"name": "containerInsights", "value": insights}],
        )
        cluster = account.cluster(name)
        cluster.tags["quarterdeck:notice"] = notice
        account.save(cluster)
    if account.services:
        return
    past.seed(account, epoch, _registered)
    ingest = ecs.register_task_definition(**_news_ingest())["taskDefinition"]["taskDefinitionArn"]
    # Production last: the newest revision of the family is the one that it runs.
    for plan, count in zip(reversed(BALANCERS), (1, 2), strict=True):
        registered = ecs.register_task_definition(**_news_api(plan.environment))
        definition = registered["taskDefinition"]["taskDefinitionArn"]
        ecs.create_service(**_web_service(plan, definition, count))
    ecs.create_service(**_ingest_service(ingest))
    # Its past says when the running version was released; nothing is being deployed now.
    for service in account.services.values():
        controller.settle(service)


def _registered(family: str) -> dict[str, Any]:
    """What is registered of a family, but for its name and tags."""
    described = _news_ingest() if family == "news-ingest" else _news_api("production")
    return {key: value for key, value in described.items() if key not in ("family", "tags")}


def _news_api(environment: str) -> dict[str, Any]:
    group = "/ecs/news-api" if environment == "production" else f"/ecs/{environment}/news-api"
    container = {
        "name": "news-api",
        "image": _image(RUNNING_TAG),
        "essential": True,
        "portMappings": [{"containerPort": 8000, "hostPort": 8000, "protocol": "tcp"}],
        "environment": [{"name": "NEWS_ANONYMOUS_PER_MINUTE", "value": "0"}],
        "secrets": [
            {"name": "NEWS_SECRET_KEY", "valueFrom": secret_arn("news-api/django-secret-key")},
            {
                "name": "NEWS_DATABASE_PASSWORD",
                "valueFrom": f"{secret_arn('news-api/database')}:password::",
            },
        ],
        "user": "10001:10001",
        "readonlyRootFilesystem": True,
        "linuxParameters": {"initProcessEnabled": True},
        "logConfiguration": _logs(group, "web", mode="non-blocking"),
    }
    return _task_definition("news-api", "512", "1024", container)


def _news_ingest() -> dict[str, Any]:
    container = {
        "name": "news-ingest",
        "image": _image(RUNNING_TAG),
        "essential": True,
        "command": ["python", "-m", "news_api", "ingest", "--forever", "--every", "30"],
        # Faults on purpose, see FAULTS.md: a token in the clear, root, a writable root file system.
        "environment": [{"name": "FEED_ACCESS_TOKEN", "value": _leaked_token()}],
        "secrets": [
            {"name": "NEWS_SECRET_KEY", "valueFrom": secret_arn("news-api/django-secret-key")}
        ],
        "logConfiguration": _logs("/ecs/news-ingest", "ingest"),
    }
    return _task_definition("news-ingest", "256", "512", container)


def _task_definition(
    family: str, cpu: str, memory: str, container: dict[str, Any]
) -> dict[str, Any]:
    return {
        "family": family,
        "cpu": cpu,
        "memory": memory,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/ecs-execution",
        "taskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/{family}",
        "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
        "containerDefinitions": [container],
        "tags": _tags({"service": family}),
    }


def _web_service(plan: BalancerPlan, definition: str, count: int) -> dict[str, Any]:
    first, second = (target_group_arn(name) for name in plan.groups)
    return {
        **_service(plan.environment, "news-api", definition, count),
        "deploymentConfiguration": {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5},
        "healthCheckGracePeriodSeconds": 30,
        "loadBalancers": [
            {
                "targetGroupArn": first,
                "containerName": "news-api",
                "containerPort": 8000,
                "advancedConfiguration": {
                    "alternateTargetGroupArn": second,
                    "productionListenerRule": rule_arn(plan.name),
                    **_test_rule(plan),
                    "roleArn": ROLE,
                },
            }
        ],
    }


def _test_rule(plan: BalancerPlan) -> dict[str, str]:
    """Testers are sent where readers are, but for what is being released."""
    return {"testListenerRule": tester_rule_arn(plan.name)} if plan.tested else {}


def _ingest_service(definition: str) -> dict[str, Any]:
    breaker = {"enable": True, "rollback": True}
    return {
        **_service("production", "news-ingest", definition, 1),
        "deploymentConfiguration": {"strategy": "ROLLING", "deploymentCircuitBreaker": breaker},
    }


def _service(environment: str, name: str, definition: str, count: int) -> dict[str, Any]:
    staging = environment == "staging"
    return {
        "cluster": environment,
        "serviceName": name,
        "taskDefinition": definition,
        "desiredCount": count,
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": network.subnets("public" if staging else "app"),
                "securityGroups": [network.group_id(network.APP)],
                # Staging saves the NAT gateways: a fault on purpose.
                "assignPublicIp": "ENABLED" if staging else "DISABLED",
            }
        },
        "tags": _tags({"service": name, "environment": environment, "owner": "news"}),
    }


def _image(tag: str) -> str:
    return next(image.uri for image in IMAGES if image.tag == tag)


def _logs(group: str, prefix: str, **options: str) -> dict[str, Any]:
    return {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": group,
            "awslogs-region": REGION,
            "awslogs-stream-prefix": prefix,
            **options,
        },
    }


def _leaked_token() -> str:
    """Looks like a token and opens nothing."""
    return resource_id("feed token, once pasted") + resource_id("into a task definition")


def _tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]
