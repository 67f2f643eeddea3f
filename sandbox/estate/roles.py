"""The account's roles, users and OIDC provider in moto."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.estate import policies
from sandbox.estate.policies import Document
from sandbox.measurements import resource_id
from sandbox.moto_adapter import backend
from sandbox.names import ACCOUNT, CALLER, REGION

_TASK_EXECUTION = ("AmazonECSTaskExecutionRolePolicy", "/service-role/", policies.TASK_EXECUTION)
_INFRASTRUCTURE = (
    "AmazonECSInfrastructureRolePolicyForLoadBalancers",
    "/",
    policies.INFRASTRUCTURE,
)
_ADMINISTRATOR = ("AdministratorAccess", "/", policies.ADMINISTRATOR)
_MANAGED = (_TASK_EXECUTION, _INFRASTRUCTURE, _ADMINISTRATOR)


@dataclass(frozen=True)
class RolePlan:
    """One role: who may assume it, its inline policies by name, AWS's policies by name."""

    name: str
    trust: Document
    inline: tuple[tuple[str, Document], ...] = ()
    managed: tuple[tuple[str, str, Document], ...] = ()
    made_days_ago: int = 400
    used_days_ago: int | None = 0


_TASKS, _SERVICES = "ecs-tasks.amazonaws.com", "ecs.amazonaws.com"
_REPOSITORY = f"repo:{policies.GITHUB_REPOSITORY}"
_RELEASE_SUBJECTS = [
    f"{_REPOSITORY}:environment:production",
    f"repo:{policies.IMMUTABLE_REPOSITORY}:environment:production",
]
ROLES = (
    RolePlan(
        "news-api",
        policies.service_trust(_TASKS, guarded=True),
        (("secrets", policies.READ_EVERY_SECRET), ("metrics", policies.PUT_METRICS)),
    ),
    RolePlan(
        "news-ingest",
        policies.service_trust(_TASKS, guarded=False),
        (("metrics", policies.PUT_METRICS),),
    ),
    RolePlan(
        "ecs-execution",
        policies.service_trust(_TASKS, guarded=True),
        (("secrets", policies.READ_OWN_SECRETS),),
        (_TASK_EXECUTION,),
    ),
    RolePlan(
        "ecs-load-balancers",
        policies.service_trust(_SERVICES, guarded=True),
        managed=(_INFRASTRUCTURE,),
    ),
    RolePlan(
        "github-deploy",
        policies.github_trust("StringLike", f"{_REPOSITORY}:*"),
        (("deploy", policies.DEPLOY_WIDE),),
        made_days_ago=290,
        used_days_ago=2,
    ),
    RolePlan(
        "github-images",
        policies.github_trust("StringEquals", _RELEASE_SUBJECTS),
        (("images", policies.PUSH_IMAGES),),
        made_days_ago=60,
        used_days_ago=1,
    ),
    RolePlan(
        "quarterdeck",
        policies.service_trust(_TASKS, guarded=True),
        (("operate", policies.OPERATE),),
        made_days_ago=30,
    ),
    RolePlan(
        "migration-2024",
        policies.service_trust("lambda.amazonaws.com", guarded=False),
        managed=(_ADMINISTRATOR,),
        made_days_ago=760,
        used_days_ago=None,
    ),
)


def seed(epoch: datetime) -> None:
    """Create roles, users and the OIDC provider. `epoch`: the first start of the account."""
    iam = backend("iam", ACCOUNT, "aws")
    for name, path, text in _MANAGED:
        _aws_managed(iam, name, path, text)
    for plan in ROLES:
        _role(iam, plan, epoch)
    _users(iam, epoch)
    provider = iam.create_open_id_connect_provider(
        f"https://{policies.OIDC_HOST}", ["0" * 40], [policies.AUDIENCE], []
    )
    provider.create_date = epoch - timedelta(days=400)
    # Nothing in IAM's API turns root's MFA on; most accounts have it.
    iam.account_summary._account_mfa_enabled = 1
    _caller(iam)


def _caller(iam: Any) -> None:
    """Whoever signs with a key that IAM does not know is this sandbox's user."""
    sts = backend("sts", ACCOUNT, "aws")
    known = sts.get_caller_identity

    def identity(access_key_id: str, region: str) -> tuple[str, str, str]:
        found: tuple[str, str, str] = known(access_key_id, region)
        nobody = found[1].endswith(":user/moto")
        return (iam.users["sandbox"].id, CALLER, ACCOUNT) if nobody else found

    sts.get_caller_identity = identity


def _aws_managed(iam: Any, name: str, path: str, text: Document) -> None:
    from moto.iam.models import AWSManagedPolicy

    data = {
        "DefaultVersionId": "v1",
        "Path": path,
        "Document": text,
        "CreateDate": "2017-11-16T18:48:22+00:00",
        "UpdateDate": "2017-11-16T18:48:22+00:00",
    }
    policy = AWSManagedPolicy.from_data(name, ACCOUNT, REGION, data)
    iam.aws_managed_policies.append(policy)
    iam.managed_policies[policy.arn] = policy


def _role(iam: Any, plan: RolePlan, epoch: datetime) -> None:
    tags = [{"Key": "owner", "Value": "news"}]
    role = iam.create_role(
        plan.name, json.dumps(plan.trust), "/", None, f"{plan.name} of the news stack", tags, "3600"
    )
    for name, text in plan.inline:
        iam.put_role_policy(plan.name, name, json.dumps(text))
    for name, path, _ in plan.managed:
        iam.attach_role_policy(f"arn:aws:iam::aws:policy{path}{name}", plan.name)
    role.create_date = epoch - timedelta(days=plan.made_days_ago)
    if plan.used_days_ago is not None:
        role.last_used = epoch - timedelta(days=plan.used_days_ago, hours=1)
        role.last_used_region = REGION


def _users(iam: Any, epoch: datetime) -> None:
    """The caller of this sandbox, and the pipeline's user from before OIDC, never removed."""
    iam.create_user(REGION, "sandbox")
    iam.create_user(REGION, "ci-legacy")
    iam.put_user_policy("ci-legacy", "images", json.dumps(policies.PUSH_IMAGES))
    _key(iam, "ci-legacy", "Active", epoch - timedelta(days=400), epoch - timedelta(days=291))
    _key(iam, "ci-legacy", "Inactive", epoch - timedelta(days=640), None)
    for user in iam.users.values():
        user.create_date = epoch - timedelta(days=640)


def _key(iam: Any, user: str, status: str, made: datetime, used: datetime | None) -> None:
    from moto.iam.models import AccessKeyLastUsed

    key = iam.create_access_key(user, status=status)
    key.create_date = made
    # A key nobody can use: the sandbox takes any signature, so it needs no secret of its own.
    key.secret_access_key = resource_id(f"{user}:{status}")
    if used is not None:
        key.last_used = AccessKeyLastUsed(used, "ecr", REGION)
