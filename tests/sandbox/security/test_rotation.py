"""A secret rotates once and by its schedule; a rotation that fails leaves its traces."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest

from sandbox import clock
from sandbox.errors import AwsError
from sandbox.secrets import rotation, world
from sandbox.secrets.rotation import FUNCTION, Secrets
from sandbox.secrets.store import Store
from tests.sandbox.account import LIMIT
from tests.sandbox.security.asking import TOKEN, code, stages


class Jobs:
    """Runs what Secrets spawns."""

    def __init__(self):
        self.tasks = []

    def __call__(self, work):
        self.tasks.append(asyncio.ensure_future(work))

    async def done(self):
        await asyncio.wait_for(asyncio.gather(*self.tasks), LIMIT)


def in_loop(work):
    """Run `work(secrets, jobs)` to its end."""

    async def run(store):
        jobs = Jobs()
        return await work(Secrets(store, jobs), jobs)

    return lambda store: asyncio.run(run(store))


async def created(secrets):
    """A version that a rotation has made is there, and the rotation goes on."""
    async with asyncio.timeout(LIMIT):
        while not any(
            "AWSPENDING" in labels for labels in stages(secrets, world.DATABASE).values()
        ):
            await asyncio.sleep(0)


def test_rotation_changes_the_value_and_keeps_the_one_before(store):
    began = clock.now()

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
    assert described["LastRotatedDate"] > began
    assert described["NextRotationDate"] > began + timedelta(days=29)


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
        await created(secrets)
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
        await created(secrets)
        await clock.sleep(3 * rotation.STEP_SECONDS)
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
        await created(secrets)
        await clock.sleep(2.5 * rotation.STEP_SECONDS)
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
        due = clock.now()
        secrets.rotate_due()
        await jobs.done()
        return secrets, len(jobs.tasks), due

    secrets, started, due = later(store)

    assert started == 1
    last = secrets.describe_secret(world.DATABASE)["LastRotatedDate"]
    assert last > due


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
