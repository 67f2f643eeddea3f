"""Joins the operations on database and cache to the account."""

from __future__ import annotations

from sandbox.context import Context
from sandbox.estate.elasticache import ElastiCache
from sandbox.estate.rds import Rds


async def join(sandbox: Context) -> None:
    """Serve what moto lacks of RDS and ElastiCache."""
    cache = ElastiCache(sandbox.in_moto, sandbox.state, sandbox.epoch)
    sandbox.serve("rds", Rds(sandbox.in_moto, sandbox.epoch))
    sandbox.serve("elasticache", cache)
    sandbox.spawn(cache.restore())
