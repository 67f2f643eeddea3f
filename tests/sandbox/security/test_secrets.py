"""Secrets have values and labels, are deleted and restored, and refuse by AWS's names."""

from __future__ import annotations

import pytest

from sandbox import clock
from sandbox.errors import AwsError
from sandbox.secrets import world
from sandbox.secrets.rotation import Secrets
from sandbox.secrets.store import Store
from tests.sandbox.security.asking import TOKEN, code, stages

NAMED = {"SecretId": world.DATABASE}


def test_a_task_reads_one_field_of_a_secret(store):
    secrets = Secrets(store, lambda _: None)
    arn = secrets.describe_secret(world.DATABASE)["ARN"]

    assert secrets.value_of(f"{arn}:username::") == "news"
    assert secrets.value_of(arn).startswith("{")
    assert secrets.value_of(f"{arn}:nothing::") is None
    assert secrets.value_of(arn.replace("database", "missing")) is None


def test_a_new_value_moves_the_labels(store):
    secrets = Secrets(store, lambda _: None)
    before = secrets.get_secret_value(world.FEED_TOKEN)["VersionId"]

    put = secrets.put_secret_value(world.FEED_TOKEN, TOKEN, SecretString="next")
    same = secrets.put_secret_value(world.FEED_TOKEN, TOKEN, SecretString="next")

    assert put == same
    assert stages(secrets, world.FEED_TOKEN)[TOKEN] == ["AWSCURRENT"]
    assert stages(secrets, world.FEED_TOKEN)[before] == ["AWSPREVIOUS"]
    with pytest.raises(AwsError) as refused:
        secrets.put_secret_value(world.FEED_TOKEN, TOKEN, SecretString="other")
    assert code(refused) == "ResourceExistsException"


@pytest.mark.parametrize(
    ("method", "parameters", "expected"),
    [
        ("describe_secret", {"SecretId": "missing"}, "ResourceNotFoundException"),
        ("create_secret", {"Name": world.DATABASE}, "ResourceExistsException"),
        ("create_secret", {"Name": "with space"}, "InvalidParameterException"),
        ("put_secret_value", NAMED, "InvalidParameterException"),
        ("rotate_secret", {"SecretId": world.MIGRATION}, "InvalidRequestException"),
        ("rotate_secret", {"SecretId": world.FEED_TOKEN}, "InvalidRequestException"),
        (
            "rotate_secret",
            NAMED | {"RotationRules": {"ScheduleExpression": "rate(1 hours)"}},
            "InvalidParameterException",
        ),
        ("get_secret_value", NAMED | {"VersionId": TOKEN}, "ResourceNotFoundException"),
        ("get_secret_value", NAMED | {"VersionStage": "MINE"}, "ResourceNotFoundException"),
        ("delete_secret", NAMED | {"RecoveryWindowInDays": 3}, "InvalidParameterException"),
        (
            "update_secret_version_stage",
            NAMED | {"VersionStage": "AWSCURRENT"},
            "InvalidParameterException",
        ),
        (
            "put_resource_policy",
            NAMED | {"ResourcePolicy": "{"},
            "MalformedPolicyDocumentException",
        ),
        (
            "put_resource_policy",
            NAMED | {"ResourcePolicy": '{"Statement": ["everybody"]}'},
            "MalformedPolicyDocumentException",
        ),
        ("list_secrets", {"NextToken": "mine"}, "InvalidNextTokenException"),
        ("replicate_secret_to_regions", NAMED, "InvalidRequestException"),
    ],
)
def test_what_secrets_manager_refuses_is_refused_by_name(store, method, parameters, expected):
    secrets = Secrets(store, lambda _: None)

    with pytest.raises(AwsError) as refused:
        getattr(secrets, method)(**parameters)

    assert code(refused) == expected


def test_a_deleted_secret_answers_nothing_until_it_is_restored(store):
    secrets = Secrets(store, lambda _: None)
    secrets.delete_secret(world.MIGRATION, RecoveryWindowInDays=7)

    with pytest.raises(AwsError) as refused:
        secrets.get_secret_value(world.MIGRATION)
    listed = [s["Name"] for s in secrets.list_secrets()["SecretList"]]
    secrets.restore_secret(world.MIGRATION)

    assert code(refused) == "InvalidRequestException"
    assert world.MIGRATION not in listed
    assert secrets.get_secret_value(world.MIGRATION)["SecretString"]


def test_a_secret_is_gone_when_its_recovery_window_is_over(store, state):
    secrets = Secrets(store, lambda _: None)
    secrets.delete_secret(world.MIGRATION, RecoveryWindowInDays=7)
    clock.step(6 * 86_400)
    waiting = secrets.list_secrets(IncludePlannedDeletion=True)["SecretList"]
    clock.step(1.1 * 86_400)

    with pytest.raises(AwsError) as refused:
        secrets.restore_secret(world.MIGRATION)

    assert world.MIGRATION in {secret["Name"] for secret in waiting}
    assert code(refused) == "ResourceNotFoundException"
    assert Store(state).named(world.MIGRATION) is None
    assert secrets.create_secret(world.MIGRATION)["Name"] == world.MIGRATION


def test_secrets_outlive_the_process(store, state):
    Secrets(store, lambda _: None).create_secret("kept", TOKEN, SecretString="value")

    again = Secrets(Store(state), lambda _: None)

    assert again.get_secret_value("kept")["SecretString"] == "value"


def test_pages_hold_every_secret_once(store):
    secrets = Secrets(store, lambda _: None)
    names, token = [], None
    while True:
        page = secrets.list_secrets(MaxResults=3, NextToken=token)
        names += [secret["Name"] for secret in page["SecretList"]]
        token = page.get("NextToken")
        if token is None:
            break

    assert sorted(names) == sorted({*names})
    assert len(names) == 4
