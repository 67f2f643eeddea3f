"""One of our own operations asks moto: the same request a client would send, journal included."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from moto.core.utils import get_service_model

from sandbox.errors import AwsError
from sandbox.moto_adapter import HttpRequest, Tail
from sandbox.moto_journal import changes
from sandbox.names import REGION
from sandbox.refusals import Arrival

_FORM = "application/x-www-form-urlencoded; charset=utf-8"
_SCOPE = "Credential=sandbox/20200101/{}/{}/aws4_request"
_SIGNED = f"AWS4-HMAC-SHA256 {_SCOPE}, SignedHeaders=host, Signature={'0' * 64}"


def ask(tail: Tail, service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """moto's answer to `operation` of a service that speaks the query protocol.

    To be called in moto's thread. What changes the account is written to the journal before this
    returns. Raises AwsError, moto's own.
    """
    model = get_service_model(service)
    shape = model.operation_model(operation)
    form = create_serializer("query").serialize_to_request(dict(parameters), shape)["body"]
    signing_name = model.metadata.get("signingName", model.endpoint_prefix)
    headers = [
        ("Host", f"{model.endpoint_prefix}.{REGION}.amazonaws.com"),
        ("Content-Type", _FORM),
        ("Authorization", _SIGNED.format(REGION, signing_name)),
    ]
    request = HttpRequest("POST", "/", "", headers, urlencode(form).encode())
    arrival = Arrival(service, operation, "query")
    act = tail.change if changes(operation) else tail.answer
    answer = act(request, arrival, str(uuid.uuid4()))
    raw = {"status_code": answer.status, "headers": answer.headers, "body": answer.body}
    parsed: dict[str, Any] = create_parser("query").parse(raw, shape.output_shape)
    if answer.status >= 400:
        error = parsed["Error"]
        raise AwsError(error["Code"], error["Message"], answer.status)
    parsed.pop("ResponseMetadata", None)
    return parsed
