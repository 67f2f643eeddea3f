"""Joins image scans to the account."""

from __future__ import annotations

from sandbox.context import Context
from sandbox.ecs.account import Account
from sandbox.refused import RefusedByName
from sandbox.registry.ecr import Ecr
from sandbox.registry.inspector import MEMBERS, Inspector
from sandbox.registry.scans import Scans


async def join(sandbox: Context) -> None:
    """Serve ECR's scans and Inspector's findings."""
    scans, account = Scans(sandbox.state), sandbox.of(Account)
    sandbox.serve("ecr", Ecr(sandbox.in_moto, scans, account))
    sandbox.serve("inspector2", Inspector(sandbox.in_moto, scans, account, sandbox.state))
    sandbox.serve("inspector2", RefusedByName("inspector2", MEMBERS, "AccessDeniedException"))
