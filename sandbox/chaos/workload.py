"""Faults of the workload, its load balancers, and what it depends on."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.alarms.service import Alarms
from sandbox.chaos.effects import CannotHappen, Given, Started, part, undo
from sandbox.chaos.shared import FaultFile
from sandbox.context import Context
from sandbox.control import Control
from sandbox.ecs.api import Ecs
from sandbox.errors import AwsError
from sandbox.load_balancers import LoadBalancers
from sandbox.names import REGISTRY


async def _latency(sandbox: Context, given: Given) -> Started:
    row = {key: given[key] for key in ("share", "service", "version")}
    row["seconds"] = given["milliseconds"] / 1000
    says = f"{_tasks(given)} answer {given['milliseconds']:g} ms later."
    return _row(sandbox, "tasks", row, says)


async def _errors(sandbox: Context, given: Given) -> Started:
    says = f"{_tasks(given)} answer {given['share']:.0%} of requests with {given['status']}."
    return _row(sandbox, "tasks", dict(given), says)


async def _balancer_errors(sandbox: Context, given: Given) -> Started:
    name = _balancer(sandbox, given)
    says = f"{name} answers {given['share']:.0%} of requests with its own {given['status']}."
    return _row(sandbox, "balancer", dict(given), says)


async def _balancer_resets(sandbox: Context, given: Given) -> Started:
    says = f"{_balancer(sandbox, given)} resets {given['share']:.0%} of connections."
    return _row(sandbox, "balancer", {**given, "status": 0}, says)


async def _dependency(sandbox: Context, given: Given) -> Started:
    file, name, how = sandbox.of(FaultFile), given["which"], given["how"]
    if name not in file.relays:
        raise CannotHappen(f"This sandbox's tasks use no {name}, or one that cannot be relayed.")
    file.relay(name, {"how": how, "seconds": given["milliseconds"] / 1000})
    verb = {"refuse": "refuses connections", "hang": "hangs", "reset": "resets connections"}
    says = verb.get(how, f"takes {given['milliseconds']:g} ms longer to answer")
    return Started(f"The {name} {says}.", undo(lambda: file.relay(name, None)))


async def _surge(sandbox: Context, given: Given) -> Started:
    control = sandbox.of(Control)
    before = control.rate
    control.set_rate(given["rate"])
    says = f"Readers send {given['rate']:g} requests a second instead of {before:g}."
    return Started(says, undo(lambda: control.set_rate(before)))


async def _bad_image(sandbox: Context, given: Given) -> Started:
    """Register the service's task definition with another image, and update the service."""
    ecs = sandbox.of(Ecs)
    cluster, _, name = given["service"].partition("/")
    if given["bake_minutes"] is not None and not given["strategy"]:
        raise CannotHappen("bake_minutes belongs to a strategy; name one.")
    alarms = await _alarms(sandbox, given)
    image = f"{REGISTRY}/news-api:{given['tag']}"
    try:
        found = await _answer(ecs.describe_services(cluster=cluster, services=[name]))
        service = found["services"][0]
        known = await _answer(
            ecs.describe_task_definition(taskDefinition=service["taskDefinition"])
        )
        body = _with_image(known["taskDefinition"], image)
        made = await _answer(ecs.register_task_definition(**body))
        arn = made["taskDefinition"]["taskDefinitionArn"]
        changed = {"cluster": cluster, "service": name, "taskDefinition": arn}
        chosen = _configuration(given, service["deploymentConfiguration"], alarms)
        await _answer(ecs.update_service(**changed, deploymentConfiguration=chosen))
    except IndexError as error:
        raise CannotHappen(f"There is no service {given['service']}.") from error
    except AwsError as error:
        raise CannotHappen(f"ECS refuses it: {error.message}") from error
    return Started(f"{given['service']} is updated to {arn.rsplit('/', 1)[-1]} ({given['tag']}).")


async def _answer(answer: Any) -> dict[str, Any]:
    """An operation's answer; some operations wait for something first."""
    found: dict[str, Any] = await answer if inspect.isawaitable(answer) else answer
    return found


async def _alarms(sandbox: Context, given: Given) -> list[str]:
    """The alarms asked for. Raises CannotHappen that names those that do not exist."""
    names = [name.strip() for name in (given["alarms"] or "").split(",") if name.strip()]
    if not names:
        return []
    alarms = part(sandbox, Alarms, "CloudWatch alarms")
    kinds = ["MetricAlarm", "CompositeAlarm"]
    found = await alarms.describe_alarms(AlarmNames=names, AlarmTypes=kinds, MaxRecords=100)
    known = {alarm["AlarmName"] for kind in kinds for alarm in found[f"{kind}s"]}
    missing = [name for name in names if name not in known]
    if missing:
        raise CannotHappen(f"There is no alarm {' and no alarm '.join(missing)}.")
    return names


def _configuration(
    given: Given, own: Mapping[str, Any], alarms: Sequence[str]
) -> dict[str, Any] | None:
    """The deployment configuration asked for, None for the service's `own` as it is."""
    rollback = {"alarmNames": list(alarms), "enable": True, "rollback": True}
    guarded = {"alarms": rollback} if alarms else {}
    if given["strategy"]:
        return _strategy(given) | guarded
    return {**own, **guarded} if alarms else None


def _strategy(given: Given) -> dict[str, Any]:
    bake = given["bake_minutes"]
    chosen: dict[str, Any] = {"strategy": given["strategy"]}
    if given["strategy"] == "CANARY":
        canary = {"canaryBakeTimeInMinutes": 10 if bake is None else bake}
        chosen["canaryConfiguration"] = canary | {"canaryPercent": given["canary_percent"]}
        chosen["bakeTimeInMinutes"] = 0
    elif bake is not None:
        chosen["bakeTimeInMinutes"] = bake
    return chosen


_REGISTERED = (
    "family",
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "volumes",
    "placementConstraints",
    "cpu",
    "memory",
    "requiresCompatibilities",
    "runtimePlatform",
    "ephemeralStorage",
)


def _with_image(definition: dict[str, Any], image: str) -> dict[str, Any]:
    first, *others = definition["containerDefinitions"]
    kept = {key: definition[key] for key in _REGISTERED if key in definition}
    return kept | {"containerDefinitions": [{**first, "image": image}, *others]}


def _row(sandbox: Context, section: str, row: dict[str, Any], says: str) -> Started:
    file = sandbox.of(FaultFile)
    file.add(section, row)
    return Started(says, undo(lambda: file.remove(section, row)))


def _tasks(given: Given) -> str:
    of = f" of {given['service']}" if given["service"] else ""
    running = f" that run {given['version']}" if given["version"] else ""
    return f"Tasks{of}{running}"


def _balancer(sandbox: Context, given: Given) -> str:
    rules = part(sandbox, LoadBalancers, "load balancers").rules.values()
    names = sorted({rule.load_balancer.split("/")[1] for rule in rules})
    if given["load_balancer"] not in names:
        raise CannotHappen(f"There is no such load balancer; there are {', '.join(names)}.")
    return str(given["load_balancer"])


EFFECTS = {
    "bad-image": _bad_image,
    "latency": _latency,
    "errors": _errors,
    "surge": _surge,
    "dependency": _dependency,
    "balancer-errors": _balancer_errors,
    "balancer-resets": _balancer_resets,
}
