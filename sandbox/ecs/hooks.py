"""PAUSE hooks: invoked once per stage and step, answered or expired, never forgotten.

Everything about a hook is on its deployment and saved before anybody is told, so a sandbox that
was killed finds the same hook ids, the same expiry and every answer that was given.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from sandbox.ecs.model import Deployment, Hook, now
from sandbox.errors import AwsError

# The API's default: a day.
DEFAULT_MINUTES = 1440
# What ContinueServiceDeployment refuses:
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/troubleshooting-blue-green.html
OVER = "Continuing a service deployment is not allowed for service deployment in terminal states."
NOT_WAITING = (
    "Provided hookId is either completed, unavailable, or not associated with the given Resource "
    "ARN"
)
NO_ID = "Invalid hookId: hookId must follow the format: ecs-{hookType}-{id}"
_ID = re.compile(r"ecs-[a-z]+-[A-Za-z0-9_-]+")
_STATUS_OF = {"CONTINUE": "SUCCEEDED", "ROLLBACK": "FAILED"}


def configured(deployment: Deployment, stage: str) -> list[dict[str, Any]]:
    """The hooks the deployment's configuration has at `stage`."""
    hooks: list[dict[str, Any]] = deployment.configuration.get("lifecycleHooks", [])
    return [hook for hook in hooks if stage in hook["lifecycleStages"]]


def invoke(deployment: Deployment, stage: str, lasting: Callable[[float], timedelta]) -> list[Hook]:
    """The hooks of the move the deployment is at, invoked now unless they were before.

    `lasting` says how much sandbox time so many deployment minutes take.
    """
    known = [hook for hook in deployment.hooks if hook.move == deployment.position]
    if known:
        return known
    fresh = [
        _invocation(hook, stage, deployment.position, lasting)
        for hook in configured(deployment, stage)
    ]
    # Hooks of earlier stages and steps stay visible with their outcome.
    deployment.hooks.extend(fresh)
    return fresh


def _invocation(
    hook: dict[str, Any], stage: str, move: int, lasting: Callable[[float], timedelta]
) -> Hook:
    timeout = hook.get("timeoutConfiguration", {})
    unique = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    return Hook(
        hook_id=f"ecs-pause-{unique}",
        stage=stage,
        status="AWAITING_ACTION",
        expires_at=now() + lasting(timeout.get("timeoutInMinutes", DEFAULT_MINUTES)),
        timeout_action=timeout.get("action", "ROLLBACK"),
        move=move,
    )


def answer(deployment: Deployment, hook_id: str, action: str) -> None:
    """Take an operator's CONTINUE or ROLLBACK.

    Raises InvalidParameterException when no such hook waits.
    """
    if not deployment.in_flight:
        raise AwsError("InvalidParameterException", OVER)
    if not _ID.fullmatch(hook_id):
        raise AwsError("InvalidParameterException", NO_ID)
    waiting = deployment.hooks if deployment.status == "IN_PROGRESS" else []
    for hook in waiting:
        if hook.hook_id == hook_id and hook.waits:
            hook.status = _STATUS_OF[action]
            return
    raise AwsError("InvalidParameterException", NOT_WAITING)


def expire(hooks: Iterable[Hook]) -> bool:
    """Let hooks whose time is up time out; whether any did."""
    due = [hook for hook in hooks if hook.waits and hook.expires_at <= now()]
    for hook in due:
        hook.status = "TIMED_OUT"
    return bool(due)


def rolls_back(hook: Hook) -> bool:
    """Whether an ended hook turns the deployment back."""
    timed_out = hook.status == "TIMED_OUT" and hook.timeout_action == "ROLLBACK"
    return hook.status == "FAILED" or timed_out


def close(deployment: Deployment) -> None:
    """A rollback or another end of the deployment ends every pause."""
    for hook in deployment.hooks:
        if hook.waits:
            hook.status = "FAILED"
