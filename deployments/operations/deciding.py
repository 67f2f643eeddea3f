"""Answering a pause of ECS, and rolling back. A rollback beats an approval."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from catalog.models import User
from deployments.models import DecisionPoint, DecisionState, Release, Status
from deployments.operations.errors import CannotMove, MovedMeanwhile, NotAllowed, TooLate
from deployments.operations.moving import audited, look_soon, move, note


def approve(*, decision: DecisionPoint, by: User, at: datetime, reason: str = "") -> None:
    """Let the paused deployment continue.

    :raises MovedMeanwhile: if somebody else decided, or asked for a rollback, first.
    :raises TooLate: within 30 s of ECS's own expiry (a tenth of a shorter window).
    :raises NotAllowed: if the policy wants a second person.
    """
    release = decision.release
    with audited("approve", release=release, by=by, at=at, hook=decision.hook_id, reason=reason):
        _refuse_own(release, by)
        locked = _lock(release)
        if locked.rollback_requested_at:
            raise MovedMeanwhile(_rollback_words(locked))
        if decision.closes_at and at >= decision.closes_at:
            raise TooLate("The pause is about to expire: ECS may already be acting on it.")
        _decide(decision, DecisionState.APPROVED, by=by, at=at, reason=reason)
        note(release=locked, at=at, by=by, text=f"{decision.get_kind_display()}: approved")
        look_soon(locked)


def reject(*, decision: DecisionPoint, by: User, at: datetime, reason: str) -> None:
    """Answer the pause with a rollback.

    :raises MovedMeanwhile: if somebody else decided, or asked for a rollback, first.
    """
    release = decision.release
    with audited("reject", release=release, by=by, at=at, hook=decision.hook_id, reason=reason):
        locked = _lock(release)
        if locked.rollback_requested_at:
            raise MovedMeanwhile(_rollback_words(locked))
        _decide(decision, DecisionState.REJECTED, by=by, at=at, reason=reason)
        _ask_for_rollback(
            locked, by=by, at=at, reason=reason, text=_with_reason("Rejected", reason)
        )


def roll_back(*, release: Release, by: User, at: datetime, reason: str) -> None:
    """Take all traffic back to what served before.

    :raises MovedMeanwhile: if somebody else asked for it first.
    :raises TooLate: if the release is over; then only `restore` goes back.
    """
    with audited("roll_back", release=release, by=by, at=at, reason=reason):
        locked = _lock(release)
        if locked.rollback_requested_at:
            raise MovedMeanwhile(_rollback_words(locked))
        if locked.is_finished:
            raise TooLate(f"The release is over: {locked.state.label.lower()}.")
        if not locked.can_be_rolled_back:
            raise CannotMove(f"Nothing to roll back: the release is “{locked.state.label}”.")
        locked.decisions.filter(state=DecisionState.OPEN).update(
            state=DecisionState.SUPERSEDED, decided_by=by, decided_at=at, reason=reason
        )
        _ask_for_rollback(
            locked, by=by, at=at, reason=reason, text=_with_reason("Rollback", reason)
        )


def _with_reason(what: str, reason: str) -> str:
    return f"{what}: {reason}" if reason else what


def _lock(release: Release) -> Release:
    return (
        Release.objects.select_for_update(of=("self",)).select_related("service").get(pk=release.pk)
    )


def _refuse_own(release: Release, by: User) -> None:
    if settings.DEPLOYMENTS_FOUR_EYES and release.requested_by_id == by.pk:
        raise NotAllowed("You asked for this release, so somebody else must approve it.")


def _decide(
    decision: DecisionPoint, state: DecisionState, *, by: User, at: datetime, reason: str
) -> None:
    # Compare and swap: of two people clicking at once, one decides and the other is told who did.
    decided = DecisionPoint.objects.filter(pk=decision.pk, state=DecisionState.OPEN).update(
        state=state, decided_by=by, decided_at=at, reason=reason
    )
    decision.refresh_from_db()
    if not decided:
        raise MovedMeanwhile(f"{decision.who_won}.")


def _ask_for_rollback(release: Release, *, by: User, at: datetime, reason: str, text: str) -> None:
    move(
        release=release,
        to=Status.ROLLING_BACK,
        at=at,
        by=by,
        text=text,
        rollback_requested_by=by,
        rollback_requested_at=at,
        rollback_reason=reason,
        problem="",
    )
    look_soon(release)


def _rollback_words(release: Release) -> str:
    who = release.rollback_requested_by
    by = f" by {who.username}" if who else ""
    return f"Rollback requested{by} at {release.rollback_requested_at:%H:%M:%S} UTC."
