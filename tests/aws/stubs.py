"""A real boto3 client whose calls are checked against the service model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.stub import Stubber


def client_of(service: str) -> Any:
    """A client that asks once."""
    return boto3.client(
        service,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}),
    )


@contextmanager
def stubbed(monkeypatch, module, service: str) -> Iterator[Stubber]:
    """Replace `module.client` by a stubbed client; every queued answer must be asked for."""
    client = client_of(service)
    monkeypatch.setattr(module, "client", lambda: client)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()
