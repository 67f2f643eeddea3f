"""Secrets Manager: versions, labels, rotation and its failures, without a process."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import clock
from sandbox.errors import AwsError
from sandbox.secrets import rotation, schedule, world
from sandbox.secrets.rotation import FUNCTION, Secrets
from sandbox.secrets.store import Store

TOKEN = "a" * 32


@pytest.fixture(autouse=True)
def a_hurried_clock(tmp_path):
    """A sandbox second takes two thousandths of a real one."""
    path = tmp_path / "clock"
    clock.prepare(path, 500.0)
    clock.use(path)
    yield
    clock.use(None)


@pytest.fixture
def store(state):
    store = Store(state)
    world.seed(store, clock.now(), "django")
    return store


class Jobs:
    """Runs what Secrets spawns."""

    def __init__(self):
        self.tasks = []

    def __call__(self, work):
        self.tasks.append(asyncio.ensure_future(work))

    async def done(self):
        await asyncio.wait_for(asyncio.gather(*self.tasks), 10)


def in_loop(work):
    """Run `work(secrets, jobs)` to its end."""

    async def run(store):
        jobs = Jobs()
        return await work(Secrets(store, jobs), jobs)

    return lambda store: asyncio.run(run(store))


def stages(secrets, name):
    """The labels by version."""
    return secrets.describe_secret(name)["VersionIdsToStages"]


def code(refused):
    return refused.value.code


def test_rotation_changes_the_value_and_keeps_the_one_before(store):
    @in_loop
    async def rotated(secrets, jobs):
        before = secrets.get_secret_value(world.DATABASE)
        secrets.rotate_secret(world.DATABASE, ClientRequestToken=TOKEN)
        await jobs.done()
        after = secrets.get_secret_value(world.DATABASE)
        previous = secrets.get_secret_value(world.DATABASE, VersionStage="AWSPREVIOUS")
        return before, after, previous, secrets.describe_secret(world.DATABASE)

    before, after, previous, described = rotated(store)

    assert after["VersionId"] == TOKEN
    assert previous["VersionId"] == before["VersionId"]
    old, new = json.loads(before["SecretString"]), json.loads(after["SecretString"])
    assert old.pop("password") != new.pop("password")
    assert old == new
    assert described["LastRotatedDate"] > clock.now() - timedelta(hours=1)
    assert described["NextRotationDate"] > clock.now() + timedelta(days=29)


def test_the_same_token_rotates_once(store):
    @in_loop
    async def twice(secrets, jobs):
        first = secrets.rotate_secret(world.DATABASE, ClientRequestToken=TOKEN)
        await jobs.done()
        again = secrets.rotate_secret(world.DATABASE, ClientRequestToken=TOKEN)
        return first, again, len(jobs.tasks)

    first, again, started = twice(store)

    assert first == again
    assert started == 1


def test_a_client_that_repeats_its_request_at_once_is_told_the_same(store):
    @in_loop
    async def twice(secrets, jobs):
        first = secrets.rotate_secret(world.DATABASE, ClientRequestToken=TOKEN)
        again = secrets.rotate_secret(world.DATABASE, ClientRequestToken=TOKEN)
        return first, again, len(jobs.tasks)

    first, again, started = twice(store)

    assert first == again
    assert started == 1


def test_a_refused_rotation_changes_no_rules(store):
    @in_loop
    async def refused(secrets, _):
        secrets.rotate_secret(world.DATABASE)
        with pytest.raises(AwsError):
            secrets.rotate_secret(world.DATABASE, RotationRules={"AutomaticallyAfterDays": 2})
        return secrets.describe_secret(world.DATABASE)["RotationRules"]

    assert refused(store)["AutomaticallyAfterDays"] != 2


@pytest.mark.parametrize("failure", [None, "stuck"])
def test_a_secret_deleted_while_it_rotates_stays_deleted(store, failure):
    @in_loop
    async def deleted(secrets, jobs):
        secrets.rotation_failure = failure
        secrets.rotate_secret(world.DATABASE)
        await clock.sleep(2.5 * rotation.STEP_SECONDS)
        secrets.delete_secret(world.DATABASE, ForceDeleteWithoutRecovery=True)
        secrets.rotation_failure = None
        await jobs.done()

    deleted(store)

    assert store.named(world.DATABASE) is None


def test_a_second_rotation_waits_for_the_first(store):
    @in_loop
    async def second(secrets, _):
        secrets.rotate_secret(world.DATABASE)
        with pytest.raises(AwsError) as refused:
            secrets.rotate_secret(world.DATABASE)
        return refused

    assert code(second(store)) == "InvalidRequestException"


@pytest.mark.parametrize(
    ("failure", "has_value"), [("lambda-error", True), ("empty-pending", False)]
)
def test_a_failed_rotation_leaves_pending_behind_until_somebody_cancels(store, failure, has_value):
    @in_loop
    async def failed(secrets, jobs):
        secrets.rotation_failure = failure
        secrets.rotate_secret(world.DATABASE, ClientRequestToken=TOKEN)
        await jobs.done()
        with pytest.raises(AwsError) as refused:
            secrets.rotate_secret(world.DATABASE)
        return secrets, refused

    secrets, refused = failed(store)

    assert "previous rotation isn't complete" in str(refused.value)
    assert stages(secrets, world.DATABASE)[TOKEN] == ["AWSPENDING"]
    assert (secrets._store.find(world.DATABASE).version(TOKEN).text is not None) == has_value

    secrets.cancel_rotate_secret(world.DATABASE)
    secrets.update_secret_version_stage(world.DATABASE, "AWSPENDING", RemoveFromVersionId=TOKEN)
    assert TOKEN not in stages(secrets, world.DATABASE)


def test_a_stuck_rotation_is_cancelled_half_way(store):
    @in_loop
    async def stuck(secrets, jobs):
        secrets.rotation_failure = "stuck"
        secrets.rotate_secret(world.DATABASE, ClientRequestToken=TOKEN)
        await clock.sleep(5 * rotation.STEP_SECONDS)
        secrets.cancel_rotate_secret(world.DATABASE)
        secrets.rotation_failure = None
        await jobs.done()
        return secrets

    secrets = stuck(store)

    assert stages(secrets, world.DATABASE)[TOKEN] == ["AWSPENDING"]
    assert secrets.describe_secret(world.DATABASE)["RotationEnabled"] is False
    assert "NextRotationDate" not in secrets.describe_secret(world.DATABASE)


def test_a_failure_that_ends_is_retried_to_success(store, monkeypatch):
    monkeypatch.setattr(rotation, "RETRY_SECONDS", 5.0)

    @in_loop
    async def recovered(secrets, jobs):
        secrets.rotation_failure = "lambda-error"
        secrets.rotate_secret(world.DATABASE, ClientRequestToken=TOKEN)
        await clock.sleep(3.5 * rotation.STEP_SECONDS)
        secrets.rotation_failure = None
        await jobs.done()
        return secrets

    assert "AWSCURRENT" in stages(recovered(store), world.DATABASE)[TOKEN]


def test_a_rotation_that_was_interrupted_goes_on_after_a_restart(store, state):
    @in_loop
    async def interrupted(secrets, jobs):
        secrets.rotate_secret(world.DATABASE, ClientRequestToken=TOKEN)
        jobs.tasks[0].cancel()

    interrupted(store)

    @in_loop
    async def restarted(secrets, jobs):
        secrets.resume()
        await jobs.done()
        return secrets

    assert "AWSCURRENT" in stages(restarted(Store(state)), world.DATABASE)[TOKEN]


def test_what_is_due_is_rotated_by_the_schedule_and_what_is_stuck_is_not(store):
    @in_loop
    async def later(secrets, jobs):
        clock.step(timedelta(days=31).total_seconds())
        secrets.rotate_due()
        await jobs.done()
        return secrets, len(jobs.tasks)

    secrets, started = later(store)

    assert started == 1
    last = secrets.describe_secret(world.DATABASE)["LastRotatedDate"]
    assert last > clock.now() - timedelta(hours=1)


def test_the_overdue_secret_rotates_again_with_a_function_that_exists(store):
    @in_loop
    async def repaired(secrets, jobs):
        with pytest.raises(AwsError) as refused:
            secrets.rotate_secret(world.DJANGO_KEY)
        secrets.rotate_secret(world.DJANGO_KEY, RotationLambdaARN=FUNCTION)
        await jobs.done()
        return refused, secrets

    refused, secrets = repaired(store)

    assert code(refused) == "AccessDeniedException"
    assert secrets.get_secret_value(world.DJANGO_KEY)["SecretString"] != "django"
    assert secrets.describe_secret(world.DJANGO_KEY)["NextRotationDate"] > clock.now()


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


NAMED = {"SecretId": world.DATABASE}


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


MONDAY = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"AutomaticallyAfterDays": 1}, "2026-03-03T23:59:59"),
        ({"AutomaticallyAfterDays": 30, "Duration": "3h"}, "2026-04-01T02:59:59"),
        ({"ScheduleExpression": "rate(4 hours)"}, "2026-03-02T13:59:59"),
        ({"ScheduleExpression": "rate(10 days)"}, "2026-03-12T23:59:59"),
        ({"ScheduleExpression": "cron(0 8 1 * ? *)"}, "2026-04-01T23:59:59"),
        ({"ScheduleExpression": "cron(0 8 1 * ? *)", "Duration": "2h"}, "2026-04-01T09:59:59"),
        ({"ScheduleExpression": "cron(0 16 ? * SAT,SUN *)"}, "2026-03-07T23:59:59"),
        ({"ScheduleExpression": "cron(0 */8 * * ? *)"}, "2026-03-02T16:59:59"),
    ],
)
def test_the_window_of_a_schedule_ends_when_aws_says(rules, expected):
    assert schedule.due(rules, MONDAY).isoformat() == f"{expected}+00:00"


@pytest.mark.parametrize(
    "rules",
    [
        {"ScheduleExpression": "cron(15 8 1 * ? *)"},
        {"ScheduleExpression": "cron(0 8 L * ? *)"},
        {"ScheduleExpression": "cron(0 8 30 2 ? *)"},
        {"ScheduleExpression": "every day"},
        {"AutomaticallyAfterDays": 0},
        {"AutomaticallyAfterDays": 1, "ScheduleExpression": "rate(1 day)"},
        {"AutomaticallyAfterDays": 1, "Duration": "25h"},
    ],
)
def test_a_schedule_that_cannot_be_kept_is_refused(rules):
    with pytest.raises(AwsError) as refused:
        schedule.check(rules)

    assert code(refused) == "InvalidParameterException"


@given(
    days=st.integers(1, 1000),
    at=st.integers(0, 4 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
)
def test_a_window_always_opens_later_and_closes_on_its_own_day(days, at):
    rules = {"AutomaticallyAfterDays": days}

    opens, due = schedule.opens(rules, at), schedule.due(rules, at)

    assert at < opens < due
    assert opens.date() == due.date() == (at + timedelta(days=days)).date()
