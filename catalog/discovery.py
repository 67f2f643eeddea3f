"""Keeps the catalog as ECS says it is, completed by `services.yaml`."""

from __future__ import annotations

from datetime import datetime


def discover(*, at: datetime) -> None:
    """Read all accounts."""
