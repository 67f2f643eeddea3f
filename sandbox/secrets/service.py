"""The account's Secrets Manager, found by this name by other parts."""

from __future__ import annotations

from sandbox.secrets.rotation import FAILURES, FUNCTION, Secrets

__all__ = ("FAILURES", "FUNCTION", "Secrets")
