"""Joins identity to the account."""

from __future__ import annotations

from sandbox.context import Context
from sandbox.identity.history import History
from sandbox.identity.issuer import Issuer
from sandbox.identity.routes import Routes
from sandbox.identity.simulation import Simulation
from sandbox.identity.sts import SecurityTokens


async def join(sandbox: Context) -> None:
    """Serve what moto lacks of IAM and STS, and the token issuer under /_oidc."""
    issuer = Issuer(sandbox.state, sandbox.settings.gateway_url)
    sandbox.serve("iam", Simulation(sandbox.in_moto))
    sandbox.serve("iam", History(sandbox.in_moto, sandbox.state, sandbox.epoch))
    sandbox.serve("sts", SecurityTokens(sandbox.in_moto, issuer))
    sandbox.provide(issuer)
    Routes(issuer).add(sandbox)
    sandbox.spawn(issuer.prepare())
