"""The list prices the bill is computed from."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

_FILE = Path(__file__).with_name("prices.json")


def load() -> dict[str, Decimal]:
    """USD per unit by key; units and sources stand beside the prices in prices.json."""
    book = json.loads(_FILE.read_text())
    return {key: Decimal(price["usd"]) for key, price in book["prices"].items()}
