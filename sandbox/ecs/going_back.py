"""A deployment's way back: traffic first, then the tasks. It may be begun again at any point."""

from __future__ import annotations

from sandbox.ecs import hooks, reasons, revisions
from sandbox.ecs.model import Revision, now
from sandbox.ecs.walk import Walk

# How many times the scale-up limit a rollback may take before it counts as failed.
PATIENCE = 5
# Stages in which a deployment has not touched any listener rule yet, whoever else has.
UNMOVED = (None, "PRE_SCALE_UP", "SCALE_UP", "POST_SCALE_UP")


async def back(walk: Walk, reason: str, cause: str) -> None:
    """Return to the source revision and note how that ended.

    `cause` is what `rollback` tells beyond the deployment's reason.
    """
    hooks.close(walk.deployment)
    source = walk.account.active_revision(walk.service)
    begun = walk.deployment.rollback or {
        "reason": f"{reason} {cause}".strip(),
        "startedAt": now(),
        "serviceRevisionArn": source.arn if source else walk.target.arn,
    }
    walk.note(status="ROLLBACK_IN_PROGRESS", status_reason=reason, rollback=begun)
    if source is None:
        await _back_to_nothing(walk)
        return
    # A newer deployment has said already what the service shall be.
    if walk.service.deployment == walk.deployment.arn:
        revisions.return_to(walk.service, source)
        walk.account.save(walk.service)
    walk.note(status=await _restore(walk, source), finished_at=now())


async def _restore(walk: Walk, source: Revision) -> str:
    """Bring the source back and the target to an end; the deployment's last status."""
    patience = PATIENCE * walk.settings.scale_up_seconds
    in_time = await _return_traffic(walk, source, patience)
    walk.scale(source, walk.service.desired)
    leaving = [walk.target, *(r for r in walk.sources if r is not source)]
    for revision in leaving:
        walk.scale(revision, 0)
    in_time &= await walk.until(
        lambda: all(walk.empty(each) for each in leaving) and walk.ready(source), patience
    )
    return "ROLLBACK_SUCCESSFUL" if in_time else "ROLLBACK_FAILED"


async def _return_traffic(walk: Walk, source: Revision, patience: float) -> bool:
    """Flip at once while the source still runs; after clean-up began it must scale up first."""
    in_time = True
    if walk.deployment.stage == "CLEAN_UP" or walk.scheduler.healthy(source) == 0:
        walk.scale(source, walk.service.desired)
        in_time = await walk.until(lambda: walk.ready(source), patience)
    if walk.deployment.strategy != "ROLLING" and walk.deployment.stage not in UNMOVED:
        await walk.shift_test(0.0)
        await walk.shift(0.0)
    return in_time


async def _back_to_nothing(walk: Walk) -> None:
    walk.scale(walk.target, 0)
    await walk.until(lambda: walk.empty(walk.target))
    reason = reasons.NO_CANDIDATE
    walk.note(status="ROLLBACK_FAILED", status_reason=reason, finished_at=now())
