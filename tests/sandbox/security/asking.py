"""Who asks the security surface in tests, and what is looked at in its answers."""

from __future__ import annotations

ACCOUNT = "123456789012"
DEPLOY = f"arn:aws:iam::{ACCOUNT}:role/github-deploy"
IMAGES = f"arn:aws:iam::{ACCOUNT}:role/github-images"
TOKEN = "a" * 32


def stages(secrets, name):
    """The labels by version."""
    return secrets.describe_secret(name)["VersionIdsToStages"]


def code(refused):
    return refused.value.code
