"""Joins Secrets Manager to the account."""

from __future__ import annotations

from sandbox.context import Context
from sandbox.secrets import world
from sandbox.secrets.rotation import Secrets
from sandbox.secrets.store import Store


async def join(sandbox: Context) -> None:
    """Serve secretsmanager and keep its rotation schedule."""
    store = Store(sandbox.state)
    with sandbox.state.together():
        world.seed(store, sandbox.epoch, sandbox.settings.environment["NEWS_SECRET_KEY"])
    secrets = Secrets(store, sandbox.spawn)
    sandbox.serve("secretsmanager", secrets)
    sandbox.provide(secrets)
    secrets.resume()
    sandbox.spawn(secrets.keep_schedule())
