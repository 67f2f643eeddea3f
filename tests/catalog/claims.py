"""An operation under way, for tests of the mechanism behind everything that changes AWS."""

from __future__ import annotations

from datetime import timedelta

from django.db.models.functions import Now

from catalog import work
from catalog.models import Operation
from catalog.work import Lease

KIND = "test"
TARGET = "thing:7"


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
