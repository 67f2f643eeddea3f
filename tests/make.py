"""Small builders with sensible defaults; pass only what the test is about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aws.ecs.task_definitions import TaskDefinition
from catalog.models import Account, Service, User
from ui.roles import Role

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
REGION = "us-east-1"
_TG = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup"
BLUE = f"{_TG}/news-api-blue/0123456789abcdef"
GREEN = f"{_TG}/news-api-green/fedcba9876543210"


def account(**changes: Any) -> Account:
    defaults = {"name": "Sandbox", "region": REGION, "read_at": NOON}
    return Account.objects.get_or_create(account_id="123456789012", defaults=defaults | changes)[0]


def service(**changes: Any) -> Service:
    name = changes.get("name", "news-api")
    cluster = changes.get("cluster", "production")
    defaults = {
        "region": REGION,
        "cluster": cluster,
        "name": name,
        "arn": f"arn:aws:ecs:us-east-1:123456789012:service/{cluster}/{name}",
        "slug": f"{cluster}-{name}",
        "title": "News API",
        "environment": cluster,
        "strategy": "CANARY",
        "desired_count": 2,
        "running_count": 2,
        "task_definition": "arn:aws:ecs:us-east-1:123456789012:task-definition/news-api:1",
        "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/news-api:1.4.0",
        "cpu_units": 512,
        "memory_mib": 1024,
        "load_balancer": "app/news-production/0123456789abcdef",
        "target_groups": [BLUE, GREEN],
        "read_at": NOON,
    }
    if "account" not in changes:
        changes["account"] = account()
    return Service.objects.create(**defaults | changes)


def user(username: str = "vera", role: Role = Role.VIEWER, **changes: Any) -> User:
    return User.objects.create_user(username=username, role=role, **changes)


def operator(username: str = "olga", **changes: Any) -> User:
    return user(username, Role.OPERATOR, **changes)


def approver(username: str = "anna", **changes: Any) -> User:
    return user(username, Role.APPROVER, **changes)


def admin(username: str = "adam", **changes: Any) -> User:
    return user(username, Role.ADMIN, **changes)


def task_definition(**changes: Any) -> TaskDefinition:
    defaults = {
        "arn": "arn:aws:ecs:us-east-1:123456789012:task-definition/news-api:1",
        "family": "news-api",
        "revision": 1,
        "cpu": 512,
        "memory": 1024,
        "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/news-api:1.4.0",
    }
    return TaskDefinition(**defaults | changes)
