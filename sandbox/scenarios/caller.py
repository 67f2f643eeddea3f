"""Calls AWS's operations through the gateway, as any client does: over HTTP, in their protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode

import aiohttp

from sandbox.names import REGION
from sandbox.switches import EXEMPT_KEY

ORDINARY_KEY = "SANDBOXVICTIM"


@cache
def model(service: str) -> Any:
    """botocore's model of a service; raises botocore's UnknownServiceError."""
    import botocore.session

    return botocore.session.get_session().get_service_model(service)


class Refused(Exception):
    """AWS's error answer."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True)
class Caller:
    """A client of the gateway at `url`. Faults never hit it; `ordinary` calls are hit."""

    url: str
    session: aiohttp.ClientSession

    async def call(
        self, service: str, operation: str, given: Mapping[str, Any], *, ordinary: bool = False
    ) -> dict[str, Any]:
        """The parsed answer. Raises Refused, aiohttp.ClientError and TimeoutError."""
        from botocore.parsers import create_parser
        from botocore.serialize import create_serializer

        described = model(service)
        operation_model = described.operation_model(operation)
        serializer = create_serializer(described.resolved_protocol, include_validation=False)
        wire = serializer.serialize_to_request(dict(given), operation_model)
        status, headers, body = await self._send(described, wire, ordinary=ordinary)
        parser = create_parser(described.resolved_protocol)
        answer: dict[str, Any] = parser.parse(
            {"status_code": status, "headers": headers, "body": body}, operation_model.output_shape
        )
        if "Error" in answer:
            raise Refused(answer["Error"]["Code"], answer["Error"]["Message"])
        return answer

    async def _send(
        self, described: Any, wire: Mapping[str, Any], *, ordinary: bool
    ) -> tuple[int, dict[str, str], bytes]:
        body = wire["body"]
        form = urlencode(body).encode() if isinstance(body, dict) else body
        query = urlencode(wire["query_string"] or {})
        url = f"{self.url}{wire['url_path']}{'?' if query else ''}{query}"
        headers = {**wire["headers"], **_signature(described, ordinary=ordinary)}
        async with self.session.request(
            wire["method"], url, data=form, headers=headers
        ) as response:
            names = {name.lower(): value for name, value in response.headers.items()}
            return response.status, names, await response.read()

    async def status(self, url: str) -> int | None:
        """The status of one GET, None when there is no answer."""
        try:
            async with self.session.get(url) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError):
            return None


def _signature(described: Any, *, ordinary: bool) -> dict[str, str]:
    """The gateway reads the credential scope; it knows no secret keys to check a signature."""
    # The caller's own, real clock signs, as in any client.
    at = datetime.now(UTC)
    key = ORDINARY_KEY if ordinary else EXEMPT_KEY
    scope = f"{key}/{at:%Y%m%d}/{REGION}/{described.signing_name}/aws4_request"
    return {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, "
        f"Signature={'0' * 64}",
        "X-Amz-Date": f"{at:%Y%m%dT%H%M%SZ}",
    }
