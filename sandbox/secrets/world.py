"""The secrets of a fresh account. One is overdue, one stuck, one public: see estate/FAULTS.md."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta

from sandbox.measurements import resource_id
from sandbox.names import ACCOUNT, REGION, secret_arn
from sandbox.secrets import schedule
from sandbox.secrets.model import CURRENT, PENDING, PREVIOUS, Secret, Version
from sandbox.secrets.rotation import FUNCTION
from sandbox.secrets.store import Store
from sandbox.secrets.views import day

DATABASE = "news-api/database"
DJANGO_KEY = "news-api/django-secret-key"
FEED_TOKEN = "news-api/feed-token"  # noqa: S105  (a name)
MIGRATION = "news-tools/migration"
_REMOVED_FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:news-rotate-key-2024"
_EVERYBODY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "secretsmanager:GetSecretValue",
            "Resource": "*",
        }
    ],
}


def seed(store: Store, epoch: datetime, django_key: str) -> None:
    """Create the secrets once; `django_key` is what the News API's tasks are given."""
    if len(store):
        return
    for secret in (
        _database(epoch),
        _django_key(epoch, django_key),
        _feed_token(epoch),
        _migration(epoch),
    ):
        store.save(secret)


def _secret(name: str, made: datetime, description: str) -> Secret:
    tags = [{"Key": "service", "Value": name.partition("/")[0]}]
    return Secret(name, secret_arn(name), made, made, description, tags=tags)


def _version(secret: Secret, number: int, at: datetime, text: str | None, stage: str) -> Version:
    """A version whose id is the same in every sandbox."""
    version_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{secret.arn}/{number}"))
    version = Version(version_id, at, [stage], text)
    secret.versions.append(version)
    return version


def _rotated(secret: Secret, at: datetime, days: int, function: str = FUNCTION) -> None:
    secret.rotation_enabled, secret.rotation_lambda = True, function
    secret.rotation_rules = {"AutomaticallyAfterDays": days}
    secret.last_rotated = secret.changed = at
    secret.next_rotation = schedule.due(secret.rotation_rules, at)


def _database(epoch: datetime) -> Secret:
    secret = _secret(DATABASE, epoch - timedelta(days=412), "PostgreSQL of the News API")
    fields = {
        "engine": "postgres",
        "host": "news-production.us-east-1.rds.amazonaws.com",
        "port": 5432,
        "dbname": "news",
        "username": "news",
    }
    at = epoch - timedelta(days=9, hours=4)
    for number, stage, moment in ((1, PREVIOUS, at - timedelta(days=30)), (2, CURRENT, at)):
        password = resource_id(f"{secret.arn}/password/{number}")
        _version(secret, number, moment, json.dumps({**fields, "password": password}), stage)
    _rotated(secret, at, 30)
    secret.accessed = day(epoch)
    return secret


def _django_key(epoch: datetime, value: str) -> Secret:
    """Its rotation function was removed: since then the dates pass and nothing happens."""
    secret = _secret(DJANGO_KEY, epoch - timedelta(days=412), "Django's SECRET_KEY")
    at = epoch - timedelta(days=75)
    _version(secret, 1, at, value, CURRENT)
    _rotated(secret, at, 30, _REMOVED_FUNCTION)
    secret.accessed = day(epoch)
    return secret


def _feed_token(epoch: datetime) -> Secret:
    """Its last rotation ended after the first step: AWSPENDING is on a version of its own."""
    secret = _secret(FEED_TOKEN, epoch - timedelta(days=200), "Access to paid news sources")
    at, tried = epoch - timedelta(days=33), epoch - timedelta(days=3, hours=2)
    _version(secret, 1, at, resource_id(f"{secret.arn}/1"), CURRENT)
    _version(secret, 2, tried, resource_id(f"{secret.arn}/2"), PENDING)
    _rotated(secret, at, 30)
    secret.accessed = day(epoch - timedelta(days=1))
    return secret


def _migration(epoch: datetime) -> Secret:
    """Nobody rotates it, nobody reads it, and everybody may."""
    secret = _secret(MIGRATION, epoch - timedelta(days=380), "Move to ECS, 2024")
    _version(secret, 1, secret.created, resource_id(f"{secret.arn}/1"), CURRENT)
    secret.policy = json.dumps(_EVERYBODY)
    secret.accessed = day(epoch - timedelta(days=121))
    return secret
