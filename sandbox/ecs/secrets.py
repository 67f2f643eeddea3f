"""Gives tasks the secrets their definitions name: without one, a task does not start."""

from __future__ import annotations

from sandbox.context import Context
from sandbox.ecs.scheduler import Scheduler
from sandbox.secrets.rotation import Secrets


async def join(sandbox: Context) -> None:
    """Ask Secrets Manager whenever a task starts."""
    sandbox.of(Scheduler).lives.resolve_secret = sandbox.of(Secrets).value_of
