"""Errors the sandbox answers with, named as AWS names them."""

from __future__ import annotations


class AwsError(Exception):
    """An AWS error answer: `code` from botocore's model, a message and an HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
