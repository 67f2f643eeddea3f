"""Follows the pinned service deployment: rollback first, then decisions, then what ECS says."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models.functions import Now

from aws.ecs import deployments as ecs
from aws.ecs import revisions
from aws.ecs.deployments import ServiceDeployment
from aws.errors import Refused, Unreachable
from catalog.models import Effect, EffectState
from catalog.work import Lease, Progress, effect
from deployments import states
from deployments.changes import record_rollback
from deployments.models import FINISHED, TRANSITIONS, DecisionState, Release, Status
from deployments.operations.moving import move, note
from deployments.reconciler.finishing import finish, give_up
from deployments.reconciler.pauses import act_on_decisions, see_pauses

EAGER = timedelta(seconds=2)
_STOPPABLE = {"PENDING", "IN_PROGRESS"}
CALM = timedelta(seconds=5)
# After somebody acted, until ECS shows it.
AT_ONCE = timedelta(seconds=1)
BRISK_FOR = timedelta(seconds=20)
# How long ECS may go on as before after it took the answer to a pause.
ANSWER_SHOWS_WITHIN = timedelta(seconds=15)
# ECS keeps deployments for 90 days; one that is missing from an answer is likely to come back.
FORGOTTEN_AFTER = timedelta(minutes=10)
_ROLLBACK = {Status.ROLLING_BACK, Status.ROLLED_BACK, Status.BROKEN}


def follow(lease: Lease, release: Release, at: datetime) -> Progress:
    """Do what was asked for, note what ECS says, and finish when ECS has."""
    # Before anything is read: seconds count. A rejected pause is answered through its hook.
    rejected = release.decisions.filter(state=DecisionState.REJECTED).exists()
    acted = not rejected and _stop_if_wanted(lease, release, at)
    seen = _described(release)
    # What was read while somebody else took over is old.
    lease.renew()
    if seen is None:
        return _missed(release, at)
    see_pauses(release, seen, at)
    acted = act_on_decisions(lease, release, seen, at) or acted
    if rejected and not _hook_was_just_answered(lease) and seen.status in _STOPPABLE:
        # The rejection did not reach the pause: it was over, or AWS refused the answer.
        acted = _stop_if_wanted(lease, release, at) or acted
    return _observe(lease, release, seen, at, acted=acted)


def _described(release: Release) -> ServiceDeployment | None:
    arn = str(release.service_deployment_arn)
    try:
        return ecs.describe_deployments([arn]).get(arn)
    except Refused as error:
        if ecs.is_gone(error):
            return None
        raise


def _missed(release: Release, at: datetime) -> Progress:
    """Give up what ECS has not shown for long; anything younger is looked for again."""
    last = release.observed_at or release.update_sent_at
    if last is None or at - last > FORGOTTEN_AFTER:
        return give_up(release, at)
    raise Unreachable("ecs:DescribeServiceDeployments: the deployment is not in the answer.")


def _hook_was_just_answered(lease: Lease) -> bool:
    answers = Effect.objects.filter(operation_id=lease.operation_id, state=EffectState.DONE)
    return answers.filter(
        key__startswith="rollback:", finished_at__gt=Now() - ANSWER_SHOWS_WITHIN
    ).exists()


def _stop_if_wanted(lease: Lease, release: Release, at: datetime) -> bool:
    wanted_at = release.rollback_requested_at
    if not wanted_at:
        return False
    arn = str(release.service_deployment_arn)
    try:
        effect(
            lease,
            key=f"stop:{wanted_at.isoformat()}",
            request={"serviceDeploymentArn": arn, "stopType": "ROLLBACK"},
            call=lambda: _stop(arn),
            # ECS takes a second Stop while it rolls back, so repeating it does no harm.
            find=lambda _: None,
        )
    except Refused as error:
        _note_refused_stop(release, str(error), at)
    return at - wanted_at < BRISK_FOR


def _stop(arn: str) -> dict[str, Any]:
    ecs.stop_deployment(arn=arn)
    return {}


def _note_refused_stop(release: Release, why: str, at: datetime) -> None:
    # The wish is withdrawn, so that it can be asked for again once the cause is mended.
    release.problem = f"AWS refused the rollback. {why}"
    release.rollback_requested_at = None
    Release.objects.filter(pk=release.pk).update(
        problem=release.problem, rollback_requested_at=None
    )
    note(release=release, at=at, text=release.problem)


def _observe(
    lease: Lease, release: Release, seen: ServiceDeployment, at: datetime, *, acted: bool
) -> Progress:
    facts = _facts(release, seen, at)
    lease.renew()
    Release.objects.filter(pk=release.pk).update(**facts)
    for name, value in facts.items():
        setattr(release, name, value)
    status = states.status_of(seen)
    if status == Status.NEEDS_DECISION and not _somebody_must_decide(release):
        status = Status.SHIFTING
    if status in _ROLLBACK:
        record_rollback(release, min(at, seen.finished_at or at))
    if status in FINISHED:
        return finish(lease, release, seen, status, at)
    _step_to(release, status, seen, at)
    return Progress(wait=_next_look(release, acted=acted))


def _somebody_must_decide(release: Release) -> bool:
    """Whether a pause is open; one that was answered a moment ago still waits in ECS's answer."""
    return release.decisions.filter(state=DecisionState.OPEN).exists()


def _facts(release: Release, seen: ServiceDeployment, at: datetime) -> dict[str, Any]:
    source = seen.sources[0] if seen.sources else ecs.RevisionState(arn="")
    target = seen.target or ecs.RevisionState(arn="")
    facts: dict[str, Any] = {
        "ecs_status": seen.status[:64],
        "lifecycle_stage": seen.lifecycle_stage[:64],
        "status_reason": seen.status_reason or seen.rollback_reason,
        "source_weight": source.production_weight,
        "target_weight": target.production_weight,
        "source_running": sum(each.running for each in seen.sources),
        "source_requested": sum(each.requested for each in seen.sources),
        "target_running": target.running,
        "target_requested": target.requested,
        "observed_at": at,
    }
    if target.production_weight and not release.traffic_since:
        facts["traffic_since"] = at
    if seen.lifecycle_stage == "BAKE_TIME" and not release.baking_since:
        facts["baking_since"] = at
    return facts | _revisions(release, seen)


def _revisions(release: Release, seen: ServiceDeployment) -> dict[str, str]:
    """Return which target group is whose; asked once, revisions never change."""
    if release.target_target_group and release.source_target_group:
        return {}
    source = seen.sources[0].arn if seen.sources else release.source_revision_arn
    target = seen.target.arn if seen.target else release.target_revision_arn
    known = revisions.describe_revisions(arn for arn in (source, target) if arn)
    return {
        "source_revision_arn": source,
        "target_revision_arn": target,
        "source_target_group": known[source].target_group if source in known else "",
        "target_target_group": known[target].target_group if target in known else "",
    }


def _step_to(release: Release, status: Status, seen: ServiceDeployment, at: datetime) -> None:
    if status == release.status or status not in TRANSITIONS[release.state]:
        return
    if release.status == Status.ROLLING_BACK and release.rollback_requested_at:
        return  # asked for, and ECS does not show it yet
    move(release=release, to=status, at=at, text=_words(release, status, seen))


def _words(release: Release, status: Status, seen: ServiceDeployment) -> str:
    if status == Status.ROLLING_BACK:
        why = ", ".join(seen.triggered_alarms) or seen.rollback_reason or seen.status_reason
        return f"ECS is rolling back: {why}" if why else "ECS is rolling back"
    weight = release.target_weight
    share = f", {weight:g} % on {release.version}" if weight is not None else ""
    stage = f" ({seen.lifecycle_stage})" if seen.lifecycle_stage else ""
    unknown = "" if states.is_known(seen) else f" [ECS says {seen.status}]"
    return f"{status.label}{stage}{share}{unknown}"


def _next_look(release: Release, *, acted: bool) -> timedelta:
    if acted:
        return AT_ONCE
    eager = release.status in {Status.NEEDS_DECISION, Status.ROLLING_BACK, Status.SHIFTING}
    return EAGER if eager else CALM
