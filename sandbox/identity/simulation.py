"""IAM's policy simulator."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sandbox import tokens
from sandbox.errors import AwsError
from sandbox.honesty import our_reading, simplified
from sandbox.identity import principals
from sandbox.identity.evaluator import (
    ALLOWED,
    EXPLICIT_DENY,
    IMPLICIT_DENY,
    Decision,
    Match,
    Policy,
    Request,
    decide,
)
from sandbox.identity.principals import Principal

Answer = dict[str, Any]
InMoto = Callable[[Callable[[], Any]], Awaitable[Any]]
_ACTION = re.compile(r"^[A-Za-z0-9-]+:[A-Za-z0-9]+$")
_PAGE = 100


class Simulation:
    """SimulatePrincipalPolicy and SimulateCustomPolicy."""

    def __init__(self, in_moto: InMoto) -> None:
        self._in_moto = in_moto

    @simplified("Service and resource control policies do not exist here.")
    async def simulate_principal_policy(
        self, PolicySourceArn: str, ActionNames: Sequence[str], **given: Any
    ) -> Answer:
        """What the policies of a user, group or role allow; raises NoSuchEntity, InvalidInput."""
        found: Principal = await self._in_moto(partial(principals.find, PolicySourceArn))
        return _simulated(found, PolicySourceArn, ActionNames, given)

    async def simulate_custom_policy(
        self, PolicyInputList: Sequence[str], ActionNames: Sequence[str], **given: Any
    ) -> Answer:
        """What these policies together allow; raises InvalidInput."""
        nobody = Principal("", ())
        given["PolicyInputList"] = PolicyInputList
        return _simulated(nobody, given.get("CallerArn"), ActionNames, given)


@our_reading("A resource policy that names the caller allows by itself, as inside one account.")
def _simulated(
    principal: Principal, caller: str | None, actions: Sequence[str], given: Mapping[str, Any]
) -> Answer:
    for action in actions:
        if not _ACTION.match(action):
            raise AwsError("InvalidInput", f"Invalid Entity Action: {action}")
    if given.get("PolicyExclusionList") or given.get("ResourceHandlingOption"):
        message = "The sandbox knows neither PolicyExclusionList nor ResourceHandlingOption."
        raise AwsError("InvalidInput", message)
    asked = [
        Request(action, resource, _context(given), given.get("CallerArn") or caller)
        for action in actions
        for resource in given.get("ResourceArns") or ["*"]
    ]
    question = {key: given[key] for key in given if key != "Marker"} | {"actions": list(actions)}
    begin = _begin(given.get("Marker"), question)
    end = begin + (given.get("MaxItems") or _PAGE)
    policies = (*principal.policies, *_inputs(given, "PolicyInputList", "user"))
    limits = (*_boundary(principal), *_inputs(given, "PermissionsBoundaryPolicyInputList", "none"))
    resource = (
        [Policy("ResourcePolicy", "resource", text)]
        if (text := given.get("ResourcePolicy"))
        else []
    )
    shown = [_result(request, policies, limits, resource) for request in asked[begin:end]]
    more: Answer = {"IsTruncated": end < len(asked)}
    if end < len(asked):
        more["Marker"] = tokens.write([end], question)
    return {"EvaluationResults": shown, **more}


def _boundary(principal: Principal) -> list[Policy]:
    return [principal.boundary] if principal.boundary else []


def _inputs(given: Mapping[str, Any], name: str, kind: str) -> list[Policy]:
    texts = given.get(name) or ()
    return [Policy(f"{name}.{n}", kind, text) for n, text in enumerate(texts, start=1)]


def _begin(marker: str | None, question: Mapping[str, Any]) -> int:
    try:
        return tokens.read(marker, question)[0] if marker else 0
    except tokens.WrongToken as error:
        raise AwsError("InvalidInput", "Invalid Marker.") from error


def _context(given: Mapping[str, Any]) -> dict[str, list[str]]:
    return {
        entry["ContextKeyName"].lower(): list(entry["ContextKeyValues"])
        for entry in given.get("ContextEntries") or ()
    }


def _result(
    request: Request,
    policies: Sequence[Policy],
    limits: Sequence[Policy],
    resource: Sequence[Policy],
) -> Answer:
    try:
        identity, of_resource = decide(policies, request), decide(resource, request)
        boundary = decide(limits, request) if limits else None
    except AwsError as error:
        raise AwsError("InvalidInput", error.message) from error
    effect = _combined(identity, of_resource, boundary)
    decisions = [identity, of_resource, *([boundary] if boundary else [])]
    missing = [key for decision in decisions for key in decision.missing]
    shown: Answer = {
        "EvalActionName": request.action,
        "EvalResourceName": request.resource,
        "EvalDecision": effect,
        "MatchedStatements": [_matched(match) for match in _decisive(effect, decisions)],
        "MissingContextValues": sorted(set(missing)),
    }
    if boundary:
        allowed = boundary.effect == ALLOWED
        shown["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": allowed}
    return shown


def _decisive(effect: str, decisions: Sequence[Decision]) -> list[Match]:
    """The statements that decided: a boundary denies, but what it allows grants nothing."""
    if effect == EXPLICIT_DENY:
        return [m for each in decisions for m in each.matches if m.effect == "Deny"]
    granting = decisions[:2] if effect == ALLOWED else ()
    return [match for each in granting for match in each.matches]


def _combined(identity: Decision, resource: Decision, boundary: Decision | None) -> str:
    effects = [identity.effect, resource.effect, *([boundary.effect] if boundary else [])]
    if EXPLICIT_DENY in effects:
        return EXPLICIT_DENY
    within = boundary is None or boundary.effect == ALLOWED
    if resource.effect == ALLOWED or (identity.effect == ALLOWED and within):
        return ALLOWED
    return IMPLICIT_DENY


def _matched(match: Match) -> Answer:
    return {
        "SourcePolicyId": match.policy.name,
        "SourcePolicyType": match.policy.kind,
        "StartPosition": _position(match.policy.text, match.start),
        "EndPosition": _position(match.policy.text, match.end),
    }


def _position(text: str, offset: int) -> Answer:
    """Line and column, both counted from 1."""
    before = text[:offset]
    return {"Line": before.count("\n") + 1, "Column": offset - before.rfind("\n")}
