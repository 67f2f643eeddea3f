"""Keeps what moto sends on this machine: SNS and Firehose post to whatever URL they are given."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

# Seconds; moto has one thread, and waits for ever for whoever does not answer.
TIMEOUT = 5.0

Send = Callable[..., Any]


def stays_here(url: str) -> bool:
    """Whether a URL's host is this machine's loopback, by address or as localhost."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def confine() -> None:
    """Let moto's requests reach loopback only, redirected ones included."""
    from moto.sns.models import SNSBackend
    from requests.adapters import HTTPAdapter

    HTTPAdapter.send = confined(HTTPAdapter.send)  # type: ignore[method-assign]
    SNSBackend.subscribe = checked(SNSBackend.subscribe)  # type: ignore[method-assign]


def confined(send: Send) -> Send:
    """`send` of an adapter that raises requests' ConnectionError for any other machine."""
    from requests.exceptions import ConnectionError as NotConnected

    def send_here(adapter: Any, request: Any, *arguments: Any, **options: Any) -> Any:
        if not stays_here(request.url):
            raise NotConnected(f"the sandbox sends nothing to {request.url}", request=request)
        if not arguments and options.get("timeout") is None:
            options["timeout"] = TIMEOUT
        return send(adapter, request, *arguments, **options)

    return send_here


def checked(subscribe: Send) -> Send:
    """moto's Subscribe, which refuses HTTP endpoints elsewhere with InvalidParameter."""
    from moto.sns.exceptions import SNSInvalidParameter

    def subscribe_here(backend: Any, topic_arn: str, endpoint: str, protocol: str) -> Any:
        if protocol in ("http", "https") and not stays_here(endpoint):
            raise SNSInvalidParameter(
                "Invalid parameter: Endpoint Reason: the sandbox sends to loopback addresses only"
            )
        return subscribe(backend, topic_arn, endpoint, protocol)

    return subscribe_here
