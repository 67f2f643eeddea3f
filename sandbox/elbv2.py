"""Elastic Load Balancing v2 joins the account: what changes traffic is ours, the rest moto's."""

from __future__ import annotations

from sandbox.balancing.balancers import Balancers
from sandbox.balancing.changes import Changes
from sandbox.balancing.groups import Groups
from sandbox.balancing.listeners import Listeners
from sandbox.balancing.rules import Rules
from sandbox.balancing.targets import Targets
from sandbox.context import Context
from sandbox.load_balancers import LoadBalancers


async def join(sandbox: Context) -> None:
    """Let clients make load balancers, and move the traffic themselves."""
    balancers = sandbox.of(LoadBalancers)
    changes = Changes(balancers, sandbox.gateway)
    for owner in (Balancers, Listeners, Rules, Groups):
        sandbox.serve("elbv2", owner(changes))
    sandbox.serve("elbv2", Targets(balancers))
