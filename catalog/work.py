"""The one mechanism for work that changes AWS: claim a due row, look, do at most one thing.

A domain app registers a handler for its kind of operation. The reconciler claims what is due
with a lease, calls the handler, and writes down when to look again. Nothing here sleeps, and
nothing is lost when a worker dies: the lease runs out and another worker looks again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from aws.errors import AwsError, Refused, Throttled
from catalog.models import Effect, EffectState, Operation, OperationState, User

log = logging.getLogger(__name__)

# Longer than one AWS call may take; every effect renews it.
LEASE = timedelta(seconds=30)
PARK_AFTER_FAILURES = 30
LONGEST_WAIT = timedelta(seconds=60)
LONGEST_ERROR = 2000  # characters


class LeaseLost(Exception):
    """Another worker has taken the operation over; whatever this one wanted to write is void."""


class OutcomeUnknown(Exception):
    """A changing call was sent, and AWS cannot yet say whether it was carried out."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What a handler found: finished, or when to look again."""

    done: bool = False
    wait: timedelta = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one operation until it runs out or is finished."""

    operation_id: int
    kind: str
    target: str
    token: int

    @property
    def target_id(self) -> int:
        """The number behind the colon of `release:42`."""
        return int(self.target.partition(":")[2])

    def renew(self) -> None:
        """Extend the lease and make sure it is still ours.

        :raises LeaseLost: if it is not.
        """
        held = _held(self).update(lease_until=Now() + LEASE)
        if not held:
            raise LeaseLost(f"{self.kind} {self.target}")


Handler = Callable[[Lease], Progress]
_handlers: dict[str, Handler] = {}


def handles(kind: str) -> Callable[[Handler], Handler]:
    """Register the function that reconciles operations of this kind."""

    def register(handler: Handler) -> Handler:
        _handlers[kind] = handler
        return handler

    return register


def submit(*, kind: str, target: str, key: str, by: User | None) -> Operation:
    """Write down that `target` must be reconciled; the same `key` twice is one operation.

    :raises IntegrityError: if another operation of this kind is open for the target.
    """
    operation, _ = Operation.objects.get_or_create(
        idempotency_key=key, defaults={"kind": kind, "target": target, "requested_by": by}
    )
    return operation


def wake(*, kind: str, target: str) -> None:
    """Have an open operation looked at as soon as a worker is free."""
    Operation.objects.filter(kind=kind, target=target, state=OperationState.OPEN).update(
        due_at=Now(), version=F("version") + 1
    )


def resume(*, kind: str, target: str) -> None:
    """Have a parked operation looked at again; its effects stay what they are."""
    Operation.objects.filter(kind=kind, target=target, state=OperationState.PARKED).update(
        state=OperationState.OPEN, finished_at=None, failures=0, due_at=Now()
    )


def claim(*, owner: str, kind: str = "", target: str = "") -> Lease | None:
    """Take the operation that is due for longest and that nobody is working on, if any.

    With `kind` and `target`, take that one, whether it is due or not.
    """
    wanted = Q(kind=kind, target=target) if target else Q(due_at__lte=Now())
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    with transaction.atomic():
        found = (
            Operation.objects.select_for_update(skip_locked=True)
            .filter(free, wanted, state=OperationState.OPEN, kind__in=list(_handlers))
            .order_by("due_at")
            .first()
        )
        if found is None:
            return None
        Operation.objects.filter(pk=found.pk).update(
            lease_owner=owner, lease_token=F("lease_token") + 1, lease_until=Now() + LEASE
        )
    return Lease(found.pk, found.kind, found.target, found.lease_token + 1)


def run_due(*, owner: str, limit: int = 20) -> int:
    """Reconcile what is due, one step each. Return how many operations were looked at."""
    # One at a time: what waits for its turn here is free for any other worker.
    for count in range(limit):
        lease = claim(owner=owner)
        if lease is None:
            return count
        run(lease)
    return limit


def run_now(*, kind: str, target: str, owner: str) -> bool:
    """Reconcile this one operation here and now, unless somebody is at it. Return whether it ran.

    For the click that must not wait for a broker or a worker.
    """
    lease = claim(owner=owner, kind=kind, target=target)
    if lease is None:
        return False
    run(lease)
    return True


def run(lease: Lease) -> None:
    """Reconcile one claimed operation and write down how it went."""
    # Whoever wakes the operation while it is being looked at must not be overheard.
    version = Operation.objects.values_list("version", flat=True).get(pk=lease.operation_id)
    try:
        lease.renew()
        progress = _handlers[lease.kind](lease)
    except LeaseLost:
        log.warning("lease lost: %s %s", lease.kind, lease.target)
    except (AwsError, OutcomeUnknown) as error:
        log.warning("%s %s: %s", lease.kind, lease.target, error)
        _failed(lease, str(error), version, park=False)
    except Exception as error:
        log.exception("%s %s failed", lease.kind, lease.target)
        _failed(lease, f"{type(error).__name__}: {error}", version, park=True)
    else:
        _progressed(lease, progress, version)


def effect(
    lease: Lease,
    *,
    key: str,
    request: dict[str, Any],
    call: Callable[[], dict[str, Any]],
    find: Callable[[Effect], dict[str, Any] | None],
) -> dict[str, Any]:
    """Make one changing call at most once, and return its answer, now or from an earlier run.

    :param key: names the effect within the operation.
    :param call: sends the request once and returns what is worth remembering.
    :param find: after an unknown outcome, asks AWS whether it was carried out: the answer if it
        was, None if it certainly was not.
    :raises OutcomeUnknown: while AWS cannot tell yet, or does not let us ask.
    :raises Refused: if AWS refused it, now or earlier.
    :raises LeaseLost: if another worker has taken over.
    """
    intent = _intend(lease, key, request)
    if intent.state == EffectState.DONE:
        return dict(intent.answer)
    if intent.state == EffectState.REFUSED:
        raise Refused(intent.error, operation=key)
    if intent.attempts:
        found = _found(intent, find)
        if found is not None:
            return _effected(lease, intent, found)
    return _send(lease, intent, call)


def _intend(lease: Lease, key: str, request: dict[str, Any]) -> Effect:
    with transaction.atomic():
        lease.renew()
        intent, _ = Effect.objects.get_or_create(
            operation_id=lease.operation_id, key=key, defaults={"request": request}
        )
    return intent


def was_sent_within(intent: Effect, span: timedelta) -> bool:
    """Whether the call was last sent less than `span` ago, by PostgreSQL's clock."""
    return Effect.objects.filter(pk=intent.pk, intended_at__gt=Now() - span).exists()


def _found(
    intent: Effect, find: Callable[[Effect], dict[str, Any] | None]
) -> dict[str, Any] | None:
    try:
        return find(intent)
    except Refused as error:
        # The question was refused, such as with expired credentials; the call may have been made.
        raise OutcomeUnknown(str(error)) from error


def _send(lease: Lease, intent: Effect, call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    lease.renew()
    # `find` gives AWS its time from the newest sending on, not from the first.
    Effect.objects.filter(pk=intent.pk).update(attempts=F("attempts") + 1, intended_at=Now())
    try:
        answer = call()
    except Throttled:
        # Certainly not carried out: the next look may send it without asking.
        Effect.objects.filter(pk=intent.pk, state=EffectState.INTENDED).delete()
        raise
    except Refused as error:
        Effect.objects.filter(pk=intent.pk).update(
            state=EffectState.REFUSED, error=str(error), finished_at=Now()
        )
        raise
    return _effected(lease, intent, answer)


def _effected(lease: Lease, intent: Effect, answer: dict[str, Any]) -> dict[str, Any]:
    Effect.objects.filter(pk=intent.pk).update(
        state=EffectState.DONE, answer=answer, finished_at=Now()
    )
    return answer


def _held(lease: Lease) -> Any:
    return Operation.objects.filter(
        pk=lease.operation_id, lease_token=lease.token, state=OperationState.OPEN
    )


def _progressed(lease: Lease, progress: Progress, version: int) -> None:
    changes: dict[str, Any] = {"failures": 0, "last_error": ""}
    if progress.done:
        changes |= {"state": OperationState.DONE, "finished_at": Now()}
    if not _let_go(lease, progress.wait, version, changes):
        log.warning("lease lost at the end: %s %s", lease.kind, lease.target)


def _failed(lease: Lease, error: str, version: int, *, park: bool) -> None:
    """Look again later, ever later; a bug (not AWS) parks the operation after too many times."""
    failures = Operation.objects.values_list("failures", flat=True).get(pk=lease.operation_id) + 1
    # PostgreSQL keeps no NUL, and a row that cannot say what went wrong would hide it.
    changes: dict[str, Any] = {
        "failures": failures,
        "last_error": error.replace("\0", "")[:LONGEST_ERROR],
    }
    if park and failures >= PARK_AFTER_FAILURES:
        changes |= {"state": OperationState.PARKED, "finished_at": Now()}
    _let_go(lease, min(timedelta(seconds=2 ** min(failures, 6)), LONGEST_WAIT), version, changes)


def _let_go(lease: Lease, wait: timedelta, version: int, changes: dict[str, Any]) -> bool:
    """Give the lease back and wait, unless somebody woke the operation meanwhile."""
    free = changes | {"lease_until": None, "lease_owner": ""}
    unwoken = _held(lease).filter(version=version)
    return bool(
        unwoken.update(due_at=Now() + wait, **free) or _held(lease).update(due_at=Now(), **free)
    )
