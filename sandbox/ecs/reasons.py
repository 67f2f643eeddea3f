"""Why a service deployment failed, in ECS's words.

What is documented or was seen in answers of AWS stands as it is there; what nobody has written
down is worded alike. Sources:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/troubleshooting-blue-green.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
"""

from __future__ import annotations

_BECAUSE = "Service deployment rolled back because"
BREAKER = f"{_BECAUSE} the circuit breaker threshold was exceeded."
ALARMS = f"{_BECAUSE} of one or more active alarms."
NO_CANDIDATE = "No rollback candidate was found to run the rollback."
# Nobody has written these two down.
STOPPED = f"{_BECAUSE} of a StopServiceDeployment request."
SUPERSEDED = f"{_BECAUSE} a newer service deployment was started."
SERVICE_DELETED = "The service was deleted."


def halted(reason: str) -> str:
    """The same of a deployment that may not roll back and stops where it is."""
    return reason.replace(" rolled back ", " stopped ", 1)


# How the service's events tell the same.
_TASKS, _ALARM = "tasks failed to start.", "alarm detected."
_EVENTS = {BREAKER: _TASKS, halted(BREAKER): _TASKS, ALARMS: _ALARM, halted(ALARMS): _ALARM}


def network(detail: str) -> str:
    """The listener rules are not as ECS needs them."""
    return f"{_BECAUSE} of invalid networking configuration. {detail}"


def hook_failed(stage: str) -> str:
    """Somebody answered a pause of `stage` with ROLLBACK."""
    return f"{_BECAUSE} {stage} lifecycle hook(s) failed."


def hook_timed_out(stage: str) -> str:
    """Nobody answered a pause of `stage` in time."""
    return f"{_BECAUSE} {stage} pause hook timed out."


def stage_timed_out(stage: str) -> str:
    """A stage took longer than it may."""
    return f"{_BECAUSE} the {stage} lifecycle stage timed out."


def event(reason: str) -> str:
    """What the service's events say behind "deployment failed:"."""
    return _EVENTS.get(reason, reason)


def rollout(name: str, reason: str) -> str:
    """rolloutStateReason of the failed deployment called `name`."""
    said = event(reason)
    if said == _TASKS:
        return f"ECS deployment circuit breaker: {said}"
    return f"ECS deployment {name} failed: {said}"


def rolling_back_to(name: str) -> str:
    """rolloutStateReason of the deployment called `name` while a failed one returns to it."""
    return f"ECS deployment circuit breaker: rolling back to deploymentId {name}."
