"""The policies of users and roles, read from moto's IAM; call these in moto's thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.errors import AwsError
from sandbox.identity.evaluator import Policy
from sandbox.names import ACCOUNT


@dataclass(frozen=True)
class Principal:
    """A user or role with everything that says what it may do."""

    arn: str
    policies: tuple[Policy, ...]
    boundary: Policy | None = None


def iam() -> Any:
    """moto's IAM."""
    from sandbox.moto_adapter import backend

    return backend("iam", ACCOUNT, "aws")


def find(arn: str) -> Principal:
    """The principal or managed policy of that ARN; raises AwsError NoSuchEntity."""
    backend = iam()
    if arn in backend.managed_policies:
        return Principal(arn, (_managed(backend.managed_policies[arn]),))
    kind, _, name = arn.rpartition(":")[2].partition("/")
    name = name.rpartition("/")[2]
    known = {
        "user": backend.users,
        "group": backend.groups,
        "role": {role.name: role for role in backend.roles.values()},
    }
    holder = known.get(kind, {}).get(name)
    if holder is None:
        raise AwsError("NoSuchEntity", f"The {kind} with name {name} cannot be found.", 404)
    policies = [*_of(holder, kind)]
    if kind == "user":
        groups = [group for group in backend.groups.values() if holder in group.users]
        policies += [policy for group in groups for policy in _of(group, "group")]
    boundary = backend.managed_policies.get(getattr(holder, "permissions_boundary_arn", None))
    return Principal(arn, tuple(policies), _managed(boundary) if boundary else None)


def _of(holder: Any, kind: str) -> list[Policy]:
    inline = [
        Policy(f"{kind}_{holder.name}_{name}", kind, text) for name, text in holder.policies.items()
    ]
    return inline + [_managed(policy) for policy in holder.managed_policies.values()]


def _managed(policy: Any) -> Policy:
    kind = "aws-managed" if ":iam::aws:" in policy.arn else "user-managed"
    default = next(v for v in policy.versions if v.is_default)
    return Policy(policy.name, kind, default.document)
