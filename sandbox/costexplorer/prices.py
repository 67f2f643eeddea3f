"""The list prices the bill is computed from."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from pathlib import Path

HOURS_PER_MONTH = Decimal(730)
_FILE = Path(__file__).with_name("prices.json")


@cache
def load() -> dict[str, Decimal]:
    """USD per unit by key; units and sources stand beside the prices in prices.json."""
    book = json.loads(_FILE.read_text())
    return {key: Decimal(price["usd"]) for key, price in book["prices"].items()}


def price(key: str) -> Decimal:
    """USD per unit. Valkey nodes cost a factor of Redis's; raises KeyError for what has no price.

    Keys are those of prices.json and `elasticache.valkey.<node type>.hour`.
    """
    if key.startswith("elasticache.valkey.cache."):
        redis = key.replace("valkey", "redis", 1)
        return load()[redis] * load()["elasticache.valkey.factor"]
    return load()[key]
