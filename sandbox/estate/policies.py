"""The policies of the stack's roles. What is too wide is so on purpose: see FAULTS.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.names import ACCOUNT, REGION

Document = dict[str, Any]
OIDC_HOST = "token.actions.githubusercontent.com"
OIDC_PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{OIDC_HOST}"
AUDIENCE = "sts.amazonaws.com"
GITHUB_REPOSITORY = "acme/news"
# GitHub's numbers for that owner and repository: the immutable form of `sub` carries both.
OWNER_ID, REPOSITORY_ID = "90210", "417225"
IMMUTABLE_REPOSITORY = f"acme@{OWNER_ID}/news@{REPOSITORY_ID}"
_ECS = f"arn:aws:ecs:{REGION}:{ACCOUNT}"


def document(*statements: Mapping[str, Any]) -> Document:
    """A policy document of these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(actions: Sequence[str], resource: str | Sequence[str], **more: Any) -> Document:
    """One Allow statement; `more` is Sid or Condition."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def service_trust(service: str, *, guarded: bool) -> Document:
    """Who may assume a service's role; guarded against a confused deputy or not."""
    statement: Document = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    if guarded:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    return document(statement)


def github_trust(operator: str, subjects: str | list[str]) -> Document:
    """GitHub's tokens with this audience and one of these subjects may assume the role."""
    condition: dict[str, dict[str, Any]] = {"StringEquals": {f"{OIDC_HOST}:aud": AUDIENCE}}
    condition.setdefault(operator, {})[f"{OIDC_HOST}:sub"] = subjects
    return document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": OIDC_PROVIDER},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": condition,
        }
    )


ECR_PULL = (
    "ecr:GetAuthorizationToken",
    "ecr:BatchCheckLayerAvailability",
    "ecr:GetDownloadUrlForLayer",
    "ecr:BatchGetImage",
)
# AWS's managed policies that are attached here, as AWS publishes them.
TASK_EXECUTION = document(allow([*ECR_PULL, "logs:CreateLogStream", "logs:PutLogEvents"], "*"))
ADMINISTRATOR = document(allow(["*"], "*"))
_ELB = "arn:aws:elasticloadbalancing:*:*"
INFRASTRUCTURE = document(
    allow(
        [
            f"elasticloadbalancing:Describe{what}"
            for what in ("Listeners", "Rules", "TargetGroups", "TargetHealth")
        ],
        "*",
        Sid="ELBReadOperations",
    ),
    allow(
        ["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"],
        f"{_ELB}:targetgroup/*/*",
        Sid="TargetGroupOperations",
    ),
    allow(
        ["elasticloadbalancing:ModifyListener"],
        [f"{_ELB}:listener/app/*/*/*"],
        Sid="ALBModifyListeners",
    ),
    allow(
        ["elasticloadbalancing:ModifyRule"],
        f"{_ELB}:listener-rule/app/*/*/*/*",
        Sid="ALBModifyRules",
    ),
)

SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:news-api/*"
READ_EVERY_SECRET = document(allow(["secretsmanager:GetSecretValue"], "*"))
READ_OWN_SECRETS = document(allow(["secretsmanager:GetSecretValue"], SECRET))
PUT_METRICS = document(
    allow(
        ["cloudwatch:PutMetricData"],
        "*",
        Condition={"StringEquals": {"cloudwatch:namespace": "News"}},
    )
)
_RELEASE = (
    "ecs:RegisterTaskDefinition",
    "ecs:DescribeTaskDefinition",
    "ecs:DescribeServices",
    "ecs:UpdateService",
    "ecs:ListServiceDeployments",
    "ecs:DescribeServiceDeployments",
)
DEPLOY_WIDE = document(
    allow(_RELEASE, "*"),
    allow(["iam:PassRole"], "*"),
    allow(["s3:PutObject", "s3:GetObject"], "arn:aws:s3:::news-artifacts/*"),
)
PUSH_IMAGES = document(
    allow(["ecr:GetAuthorizationToken"], "*"),
    allow(
        [
            "ecr:BatchCheckLayerAvailability",
            "ecr:InitiateLayerUpload",
            "ecr:UploadLayerPart",
            "ecr:CompleteLayerUpload",
            "ecr:PutImage",
        ],
        f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/news-api",
    ),
)
OPERATE = document(
    allow(
        ["ecs:Describe*", "ecs:List*", "cloudwatch:GetMetricData", "cloudwatch:DescribeAlarms"], "*"
    ),
    allow(
        ["ecs:UpdateService", "ecs:ContinueServiceDeployment", "ecs:StopServiceDeployment"],
        [f"{_ECS}:service/*", f"{_ECS}:service-deployment/*"],
    ),
    allow(
        ["iam:PassRole"],
        [f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("news-api", "ecs-execution")],
        Condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
    ),
    {
        "Effect": "Deny",
        "Action": "ecs:*",
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": REGION}},
    },
)
