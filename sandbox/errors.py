"""Errors the sandbox answers with, named as AWS names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class AwsError(Exception):
    """An AWS error answer: `code` from botocore's model, a message and an HTTP status.

    `detail` holds the other members of the error's shape (JSON protocols only).
    """

    def __init__(
        self, code: str, message: str, status: int = 400, detail: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.detail = detail or {}
