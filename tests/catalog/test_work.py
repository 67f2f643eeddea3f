"""Who may work on an operation, and when it is looked at again, against a real PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from aws.errors import Throttled, Unreachable
from catalog import work
from catalog.models import Operation, OperationState
from catalog.work import LeaseLost, Progress
from tests.catalog.claims import (
    KIND,
    TARGET,
    Calls,
    claimed,
    fresh,
    let_lease_run_out,
    once,
    submit,
)


def test_the_same_key_is_one_operation(operation):
    assert submit().pk == operation.pk


def test_an_operation_is_claimed_by_one_worker(operation, handle):
    handle(lambda lease: Progress())
    claimed("one")

    assert work.claim(owner="two") is None


def test_an_operation_of_a_kind_nobody_handles_is_left_alone(operation):
    assert work.claim(owner="one") is None


def test_a_step_that_is_not_done_is_looked_at_again_later(operation, handle):
    handle(lambda lease: Progress(wait=timedelta(minutes=1)))

    first, second = work.run_due(owner="one"), work.run_due(owner="one")

    assert (first, second) == (1, 0)
    assert fresh().state == OperationState.OPEN


def test_a_done_operation_is_never_looked_at_again(operation, handle):
    handle(lambda lease: Progress(done=True))
    work.run_due(owner="one")

    work.wake(kind=KIND, target=TARGET)

    assert fresh().state == OperationState.DONE
    assert work.run_due(owner="one") == 0


def test_a_wake_up_during_the_look_is_not_overheard(operation, handle):
    looks = []

    def handler(lease):
        looks.append(1)
        if len(looks) == 1:
            work.wake(kind=KIND, target=TARGET)
        return Progress(wait=timedelta(hours=1))

    handle(handler)

    work.run_due(owner="one")

    assert len(looks) == 2


def test_a_wake_up_during_a_look_that_fails_is_not_overheard(operation, handle):
    def handler(lease):
        work.wake(kind=KIND, target=TARGET)
        raise Throttled("ecs:DescribeServiceDeployments: ThrottlingException")

    handle(handler)

    work.run_due(owner="one", limit=1)

    assert Operation.objects.filter(due_at__lte=Now(), last_error__contains="Throttling").exists()


def test_an_error_that_postgresql_cannot_store_as_it_is_is_kept_all_the_same(operation, handle):
    def handler(lease):
        raise ValueError("a\0b" + "x" * 100_000)

    handle(handler)

    work.run_due(owner="one", limit=1)

    assert fresh().failures == 1
    assert fresh().last_error.startswith("ValueError: abx")
    assert len(fresh().last_error) == work.LONGEST_ERROR


def test_the_lease_of_a_dead_worker_runs_out(operation, handle):
    handle(lambda lease: Progress())
    claimed("dead")
    let_lease_run_out()

    assert work.claim(owner="alive") is not None


def test_a_worker_that_lost_its_lease_changes_nothing(operation, handle):
    handle(lambda lease: Progress())
    zombie = claimed("zombie")
    let_lease_run_out()
    heir = claimed("heir")
    call = Calls()

    with pytest.raises(LeaseLost):
        once(zombie, call)

    assert call.count == 0
    assert heir.token == zombie.token + 1


def test_a_zombies_ending_does_not_end_the_heirs_operation(operation, handle):
    def handler(lease):
        if lease.token == 1:
            let_lease_run_out()
            claimed("heir")
        return Progress(done=True)

    handle(handler)

    work.run(claimed("zombie"))

    row = fresh()
    assert (row.state, row.lease_owner) == (OperationState.OPEN, "heir")


def test_aws_errors_are_tried_again_ever_later_and_never_given_up(operation, handle):
    def handler(lease):
        raise Unreachable("no answer")

    handle(handler)
    Operation.objects.update(failures=work.PARK_AFTER_FAILURES)

    work.run_due(owner="one", limit=1)

    row = fresh()
    assert row.state == OperationState.OPEN
    assert row.failures == work.PARK_AFTER_FAILURES + 1
    assert row.last_error == "no answer"


def test_a_bug_is_parked_after_too_many_failures_and_can_be_resumed(operation, handle):
    def handler(lease):
        raise ZeroDivisionError("bug")

    handle(handler)
    Operation.objects.update(failures=work.PARK_AFTER_FAILURES - 1)
    work.run_due(owner="one", limit=1)
    parked = fresh()

    work.resume(kind=KIND, target=TARGET)

    assert parked.state == OperationState.PARKED
    assert (fresh().state, fresh().failures) == (OperationState.OPEN, 0)


def test_a_success_forgets_the_failures_before_it(operation, handle):
    handle(lambda lease: Progress())
    Operation.objects.update(failures=3, last_error="no answer")

    work.run_due(owner="one", limit=1)

    assert (fresh().failures, fresh().last_error) == (0, "")


def test_a_click_is_carried_out_at_once_although_nothing_is_due(operation, handle):
    handle(lambda lease: Progress(done=True))
    Operation.objects.update(due_at=Now() + timedelta(hours=1))

    assert work.run_now(kind=KIND, target=TARGET, owner="web")
    assert fresh().state == OperationState.DONE


def test_a_click_leaves_an_operation_alone_that_a_worker_is_at(operation, handle):
    handle(lambda lease: Progress(done=True))
    claimed("worker")

    assert not work.run_now(kind=KIND, target=TARGET, owner="web")
