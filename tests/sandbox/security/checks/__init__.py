"""The security catalogue's checks, each as the names of what fails, asked through boto3."""

from __future__ import annotations

from tests.sandbox.security.checks import access, compute, stores
from tests.sandbox.security.checks.register import CHECKS

__all__ = ("CHECKS", "access", "compute", "stores")
