"""The mechanism behind everything that changes AWS, against a real PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now

from aws.errors import Refused, Throttled, Unreachable
from catalog import work
from catalog.models import Effect, EffectState, Operation, OperationState
from catalog.work import Lease, LeaseLost, OutcomeUnknown, Progress

KIND = "test"
TARGET = "thing:7"


@pytest.fixture
def handle(monkeypatch):
    """Register a handler for the duration of the test."""

    def register(handler):
        monkeypatch.setitem(work._handlers, KIND, handler)
        return handler

    return register


@pytest.fixture
def operation(db) -> Operation:
    return submit()


def submit() -> Operation:
    return work.submit(kind=KIND, target=TARGET, key=TARGET, by=None)


def claimed(owner: str = "one") -> Lease:
    lease = work.claim(owner=owner)
    assert lease is not None
    return lease


def let_lease_run_out() -> None:
    Operation.objects.update(lease_until=Now() - timedelta(seconds=1))


def fresh() -> Operation:
    return Operation.objects.get()


class Calls:
    """Counts the calls to AWS, and answers as the test wants."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.count = 0

    def __call__(self):
        self.count += 1
        answer = self.answers.pop(0) if self.answers else {}
        if isinstance(answer, Exception):
            raise answer
        return answer


def once(lease, call, find=lambda intent: None):
    return work.effect(lease, key="call", request={"a": 1}, call=call, find=find)


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


def test_an_effect_happens_once_however_often_it_is_asked_for(operation, handle):
    handle(lambda lease: Progress())
    lease, call = claimed(), Calls({"arn": "x"})

    answers = [once(lease, call), once(lease, call)]

    assert answers == [{"arn": "x"}, {"arn": "x"}]
    assert call.count == 1


def test_the_intent_is_written_before_the_call(operation, handle):
    handle(lambda lease: Progress())
    seen = []

    once(claimed(), lambda: seen.append(Effect.objects.get().state) or {})

    assert seen == [EffectState.INTENDED]


def test_after_a_lost_answer_aws_is_asked_before_anything_is_repeated(operation, handle):
    handle(lambda lease: Progress())
    lease, call = claimed(), Calls(Unreachable("no answer"))
    with pytest.raises(Unreachable):
        once(lease, call)

    answer = once(lease, call, find=lambda intent: {"arn": "found"})

    assert answer == {"arn": "found"}
    assert call.count == 1


def test_while_aws_cannot_tell_nothing_is_repeated(operation, handle):
    handle(lambda lease: Progress())
    lease, call = claimed(), Calls(Unreachable("no answer"))
    with pytest.raises(Unreachable):
        once(lease, call)

    def cannot_tell(intent):
        raise OutcomeUnknown("not yet")

    with pytest.raises(OutcomeUnknown):
        once(lease, call, find=cannot_tell)

    assert call.count == 1


def test_what_certainly_did_not_happen_is_sent_again(operation, handle):
    handle(lambda lease: Progress())
    lease, call = claimed(), Calls(Unreachable("no answer"), {"arn": "x"})
    with pytest.raises(Unreachable):
        once(lease, call)

    assert once(lease, call) == {"arn": "x"}
    assert Effect.objects.get().attempts == 2


def test_aws_gets_its_time_anew_after_each_sending(operation, handle):
    handle(lambda lease: Progress())
    lease = claimed()
    with pytest.raises(Unreachable):
        once(lease, Calls(Unreachable("no answer")))
    Effect.objects.update(intended_at=Now() - timedelta(hours=1))
    long_ago = Effect.objects.get().intended_at

    with pytest.raises(Unreachable):
        once(lease, Calls(Unreachable("no answer again")))

    assert Effect.objects.get().intended_at > long_ago + timedelta(minutes=59)


def test_a_refused_question_says_nothing_about_the_call(operation, handle):
    handle(lambda lease: Progress())
    lease = claimed()
    call = Calls(Unreachable("no answer"))
    with pytest.raises(Unreachable):
        once(lease, call)

    def find(intent):
        raise Refused("sts: the credentials have expired")

    with pytest.raises(OutcomeUnknown, match="expired"):
        once(lease, call, find)

    assert call.count == 1
    assert Effect.objects.get().state == EffectState.INTENDED


def test_a_throttled_call_is_sent_again_without_asking(operation, handle):
    handle(lambda lease: Progress())
    lease, call = claimed(), Calls(Throttled("slow down"), {"arn": "x"})
    with pytest.raises(Throttled):
        once(lease, call)

    answer = once(lease, call, find=lambda intent: pytest.fail("asked"))

    assert answer == {"arn": "x"}


def test_a_refusal_is_final(operation, handle):
    handle(lambda lease: Progress())
    lease, call = claimed(), Calls(Refused("no"))
    for _ in range(2):
        with pytest.raises(Refused, match="no"):
            once(lease, call)

    assert call.count == 1


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


@pytest.mark.django_db(transaction=True)
def test_twenty_workers_at_once_make_one_call(handle):
    submit()
    call = Calls()
    barrier = threading.Barrier(20)

    def handler(lease):
        once(lease, call)
        return Progress(wait=timedelta(hours=1))

    handle(handler)

    def worker(number):
        try:
            barrier.wait()
            work.run_due(owner=f"worker {number}")
        finally:
            connection.close()

    threads = [threading.Thread(target=worker, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert call.count == 1
    assert Effect.objects.get().state == EffectState.DONE


DYING_WORKER = """
import os, signal
import django
django.setup()
from catalog import work
from catalog.work import Progress

@work.handles("test")
def handler(lease):
    def call():
        os.kill(os.getpid(), signal.SIGKILL)
    work.effect(lease, key="call", request={}, call=call, find=lambda intent: None)
    return Progress(done=True)

work.run_due(owner="dying")
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_of_a_call_loses_and_repeats_nothing(handle):
    submit()
    settings = connection.settings_dict
    url = f"postgresql:///{settings['NAME']}?host={settings['HOST']}&user={settings['USER']}"
    environment = os.environ | {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    died = subprocess.run([sys.executable, "-c", DYING_WORKER], env=environment, check=False)
    call = Calls()
    handle(lambda lease: once(lease, call, find=lambda intent: {"arn": "found"}) and Progress())
    let_lease_run_out()

    work.run_due(owner="heir", limit=1)

    assert died.returncode == -9
    assert call.count == 0
    assert Effect.objects.get().answer == {"arn": "found"}
