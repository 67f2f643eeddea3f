"""Does a set of policies allow an action on a resource? IAM's evaluation, for one account.

Source: IAM user guide, "Policy evaluation logic": an explicit deny wins, then an allow, and what
nothing allows is denied implicitly.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.errors import AwsError
from sandbox.identity.conditions import Context, evaluate, like, text_of

ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY = "allowed", "explicitDeny", "implicitDeny"
_VARIABLE = re.compile(r"\$\{([a-zA-Z][^${},]*)(?:,\s*'([^'$]*)')?\}")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class Policy:
    """One policy: `name` and `kind` as simulation results name it, and its JSON text."""

    name: str
    kind: str
    text: str


@dataclass(frozen=True)
class Request:
    """What somebody wants to do. `context` has lower-case keys; `caller` is the principal's ARN."""

    action: str
    resource: str
    context: Context
    caller: str | None = None


@dataclass(frozen=True)
class Match:
    """A statement that decided; positions are character offsets in the policy's text."""

    policy: Policy
    effect: str
    start: int
    end: int


@dataclass
class Decision:
    """What policies say about a request."""

    effect: str = IMPLICIT_DENY
    matches: list[Match] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def decide(policies: Iterable[Policy], request: Request) -> Decision:
    """Evaluate identity or resource policies; raises AwsError MalformedPolicyDocument."""
    decision = Decision()
    for policy in policies:
        for statement, start, end in statements(policy.text):
            if not _concerns(statement, request):
                continue
            verdict = evaluate(_conditions(statement, request.context), request.context)
            decision.missing += [key for key in verdict.missing if key not in decision.missing]
            if verdict.holds:
                decision.matches.append(Match(policy, statement["Effect"], start, end))
    effects = {match.effect for match in decision.matches}
    if "Deny" in effects:
        decision.effect = EXPLICIT_DENY
        decision.matches = [m for m in decision.matches if m.effect == "Deny"]
    elif "Allow" in effects:
        decision.effect = ALLOWED
    return decision


def statements(text: str) -> Iterator[tuple[dict[str, Any], int, int]]:
    """The statements of a policy with where they begin and end in its text.

    Raises AwsError MalformedPolicyDocument.
    """
    try:
        found = json.loads(text)["Statement"]
        position = text.index('"Statement"') + len('"Statement"')
        places = []
        for statement in found if isinstance(found, list) else [found]:
            start = text.index("{", position)
            position = _DECODER.raw_decode(text, start)[1]
            places.append((statement, start, position))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _malformed() from error
    for statement, start, end in places:
        if not _is_statement(statement):
            raise _malformed()
        yield statement, start, end


def _malformed() -> AwsError:
    return AwsError("MalformedPolicyDocument", "Syntax errors in policy.")


def _is_statement(statement: Any) -> bool:
    """Whether the elements are there, and of the kind that IAM's grammar wants."""
    if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
        return False
    actions = [statement[name] for name in ("Action", "NotAction") if name in statement]
    resources = [statement[name] for name in ("Resource", "NotResource") if name in statement]
    conditions = statement.get("Condition", {})
    return (
        len(actions) == 1
        and len(resources) <= 1
        and all(_are_texts(each) for each in (*actions, *resources))
        and isinstance(conditions, dict)
        and all(isinstance(keys, dict) for keys in conditions.values())
    )


def _are_texts(value: Any) -> bool:
    return all(isinstance(each, str) for each in _list(value))


def _concerns(statement: Mapping[str, Any], request: Request) -> bool:
    principal = "Principal" in statement or "NotPrincipal" in statement
    return (
        _action(statement, request.action)
        and _resource(statement, request)
        and (not principal or _principal(statement, request.caller))
    )


def _action(statement: Mapping[str, Any], action: str) -> bool:
    fits = any(like(action, p, ignore_case=True) for p in listed(statement, "Action", "NotAction"))
    return fits != ("NotAction" in statement)


def _resource(statement: Mapping[str, Any], request: Request) -> bool:
    if "Resource" not in statement and "NotResource" not in statement:
        return True  # a trust policy has none
    patterns = (
        resolved
        for pattern in listed(statement, "Resource", "NotResource")
        if (resolved := _resolved(pattern, request.context)) is not None
    )
    fits = any(like(request.resource, pattern) for pattern in patterns)
    return fits != ("NotResource" in statement)


def _resolved(pattern: str, context: Context) -> str | None:
    """Policy variables replaced; None when one of them has no value, so that nothing matches."""
    found = [
        context.get(key.lower()) or ([default] if default else [])
        for key, default in _VARIABLE.findall(pattern)
    ]
    if any(len(values) != 1 for values in found):
        return None
    values = iter(found)
    return _VARIABLE.sub(lambda _: next(values)[0], pattern)


def _conditions(statement: Mapping[str, Any], context: Context) -> dict[str, dict[str, list[str]]]:
    """Conditions with their variables replaced; a value whose variable has none matches nothing."""
    return {
        operator: {
            key: [
                resolved
                for value in (values if isinstance(values, list) else [values])
                if (resolved := _resolved(text_of(value), context)) is not None
            ]
            for key, values in wanted.items()
        }
        for operator, wanted in statement.get("Condition", {}).items()
    }


def _principal(statement: Mapping[str, Any], caller: str | None) -> bool:
    given = statement.get("Principal", statement.get("NotPrincipal"))
    fits = given == "*" or (
        isinstance(given, dict)
        and any(
            _is_caller(name, caller, kind) for kind, names in given.items() for name in _list(names)
        )
    )
    return fits != ("NotPrincipal" in statement)


def _is_caller(name: str, caller: str | None, kind: str) -> bool:
    if name in ("*", caller):
        return True
    if kind == "Federated" or ":oidc-provider/" in (caller or ""):
        return False  # an identity provider is nobody in the account
    # An account as principal stands for everybody in it.
    return bool(caller) and name in (account := str(caller).split(":")[4], _root(account))


def _root(account: str) -> str:
    return f"arn:aws:iam::{account}:root"


def listed(statement: Mapping[str, Any], *names: str) -> Sequence[str]:
    """The values of the first of these elements that the statement has, always as a list."""
    return next((_list(statement[name]) for name in names if name in statement), [])


def _list(value: Any) -> list[str]:
    return list(value) if isinstance(value, list) else [value]
