"""The one place that makes boto3 clients, and the meter of what they are asked.

Endpoints, credentials and region come from the standard chain; `AWS_ENDPOINT_URL` points all of
them at another endpoint.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

# boto3 is imported where it is used: a web process starts faster by a quarter of a second of CPU.
if TYPE_CHECKING:
    import boto3
    from botocore.config import Config

# Reads may be repeated by botocore. Worst case 3 attempts x (2 + 10) s.
READ_ATTEMPTS = 3
# ECS has no client tokens: a changing call is sent once, and repeated only after looking.
CHANGE_ATTEMPTS = 1

CallListener = Callable[[str, str], None]
_listeners: list[CallListener] = []
# boto3 sessions are not thread-safe while making clients; finished clients are.
_making = threading.Lock()


def on_call(listener: CallListener) -> None:
    """Have `listener(service, operation)` called after each HTTP request answered by AWS."""
    if listener not in _listeners:
        _listeners.append(listener)


def _config(attempts: int, **more: Any) -> Config:
    from botocore.config import Config

    return Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=2,
        read_timeout=10,
        **more,
    )


@cache
def _session() -> boto3.Session:
    import boto3

    session = boto3.Session()
    session.events.register("response-received", _heard)
    return session


def make(service: str, *, region: str = "", changes: bool = False) -> Any:
    """Return a new client of `service` in `region` (default: the session's own)."""
    with _making:
        return _session().client(
            service,  # type: ignore[call-overload]
            region_name=region or None,
            config=_config(CHANGE_ATTEMPTS if changes else READ_ATTEMPTS),
        )


def make_for_bulk(service: str) -> Any:
    """Return a client for answers with many thousand timestamps, which come as seconds since 1970.

    Requests are not validated. Together this is a tenth of the CPU time of an ordinary client.
    """
    with _making:
        return _bulk_session().client(
            service,  # type: ignore[call-overload]
            config=_config(READ_ATTEMPTS, parameter_validation=False),
        )


@cache
def _bulk_session() -> boto3.Session:
    import boto3
    import botocore.session

    core = botocore.session.get_session()
    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_seconds)
    session = boto3.Session(botocore_session=core)
    session.events.register("response-received", _heard)
    return session


def _seconds(sent: Any) -> Any:
    from botocore.utils import parse_timestamp

    # The credentials of this session come through the same parser, with timestamps as text.
    return int(sent) if isinstance(sent, int | float) else parse_timestamp(sent)


def _heard(**event: Any) -> None:
    _, service, operation = event["event_name"].split(".")
    for listener in _listeners:
        listener(service, operation)


def region() -> str:
    """Return the region of the session; empty when none is configured."""
    return _session().region_name or ""
