"""Compute Optimizer and Cost Optimization Hub as a part of the account."""

from __future__ import annotations

from sandbox import clock
from sandbox.context import Context
from sandbox.costexplorer.service import CostExplorer
from sandbox.optimizer.compute_optimizer import ComputeOptimizer
from sandbox.optimizer.costhub import CostOptimizationHub
from sandbox.optimizer.efficiency import Efficiency
from sandbox.optimizer.facts import Facts


async def join(sandbox: Context) -> None:
    """Serve both from the same facts."""
    facts = Facts(sandbox)
    hub = CostOptimizationHub(facts, sandbox.state, sandbox.epoch, clock.now)
    optimizer = ComputeOptimizer(facts, sandbox.state, sandbox.epoch, clock.now)
    sandbox.serve("cost-optimization-hub", hub)
    sandbox.serve("cost-optimization-hub", Efficiency(hub, sandbox.of(CostExplorer).ledger))
    sandbox.serve("compute-optimizer", optimizer)
