"""Faults that tests and demonstrations switch on, and the count of calls by operation."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.errors import AwsError
from sandbox.names import CALLER

KINDS = ("error", "access-denied", "hang", "late-apply")


class AnswerLost(Exception):
    """The operation was applied and its answer must never reach the caller."""


@dataclass
class Fault:
    """One switched-on fault. `rate` is the share of calls it hits (0 to 1)."""

    operation: str
    kind: str
    error: str
    message: str
    status: int
    rate: float
    seconds: float
    remaining: int | None

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Fault:
        """Read a control API body; raises ValueError with a sentence for a person."""
        kind = str(body.get("kind", "error"))
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        if not body.get("operation"):
            raise ValueError("operation is required, such as UpdateService or *")
        error = str(body.get("error", "ThrottlingException"))
        return cls(
            operation=str(body["operation"]),
            kind=kind,
            error=error,
            message=str(body.get("message", "Rate exceeded")),
            status=int(body.get("status", 400)),
            rate=float(body.get("rate", 1.0)),
            seconds=float(body.get("seconds", 3600.0)),
            remaining=None if body.get("count") is None else int(body["count"]),
        )

    def hits(self, operation: str) -> bool:
        """Decide whether this call is hit; a fault with a count wears out."""
        if self.operation not in (operation, "*") or self.remaining == 0:
            return False
        if random.random() >= self.rate:
            return False
        if self.remaining is not None:
            self.remaining -= 1
        return True


@dataclass
class Switches:
    """All faults in force and how often each operation was called since the start."""

    faults: list[Fault] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)

    async def before(self, service: str, operation: str) -> Fault | None:
        """Count the call, then fail or stall it. Returns a fault to apply to the answer."""
        self.calls[operation] += 1
        fault = next((f for f in self.faults if f.hits(operation)), None)
        if fault is None or fault.kind == "late-apply":
            return fault
        if fault.kind == "hang":
            await asyncio.sleep(fault.seconds)
            return None
        raise (
            _denied(service, operation)
            if fault.kind == "access-denied"
            else AwsError(fault.error, fault.message, fault.status)
        )


def _denied(service: str, operation: str) -> AwsError:
    prefix = {"cloudwatch": "cloudwatch", "elbv2": "elasticloadbalancing"}.get(service, service)
    action = f"{prefix}:{operation}"
    message = (
        f"User: {CALLER} is not authorized to perform: {action} on resource: * "
        f"because no identity-based policy allows the {action} action"
    )
    return AwsError("AccessDeniedException", message, 400)
