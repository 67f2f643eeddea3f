"""A real boto3 client whose calls are checked against the service model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from botocore.stub import Stubber


@contextmanager
def stubbed(monkeypatch, module, service: str) -> Iterator[Stubber]:
    """Replace `module.client` by a stubbed client; every queued answer must be asked for."""
    client = boto3.client(
        service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    monkeypatch.setattr(module, "client", lambda: client)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()
