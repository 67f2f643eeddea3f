"""The parts that make up the account, in the order in which they join it.

A part is a module with `async def join(sandbox: Context) -> None`. It is called once, before the
gateway lets requests through; slow work goes to `sandbox.spawn`.
"""

from __future__ import annotations

import importlib

from sandbox.context import Context

PARTS: tuple[str, ...] = (
    "sandbox.elbv2",
    "sandbox.cloudwatch.part",
    "sandbox.alarms.part",
    "sandbox.logs.part",
    "sandbox.autoscaling.part",
    "sandbox.costexplorer.part",
    "sandbox.budgets.part",
    "sandbox.optimizer.part",
    "sandbox.estate.part",
    "sandbox.registry.part",
    "sandbox.secrets.part",
    "sandbox.ecs.secrets",
    "sandbox.identity.part",
    "sandbox.chaos.part",
    "sandbox.scenarios.part",
    "sandbox.overview.part",
)


async def join_all(sandbox: Context) -> None:
    """Let every part join, each after those it builds on."""
    for name in PARTS:
        await importlib.import_module(name).join(sandbox)
