"""AWS answers that need no service model: JSON bodies and errors of every protocol."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from sandbox.errors import AwsError


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, without the headers every answer carries."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def encode_json(value: object) -> bytes:
    """AWS JSON: timestamps are seconds since 1970, blobs are base64.

    The models' own serialiser takes six times as long for a large GetMetricData answer.
    """
    return json.dumps(value, default=_plain, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return round(value.timestamp(), 3)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no place in an AWS answer")


def error_answer(error: AwsError, protocol: str, request_id: str) -> Answer:
    """`error` in the shape of `protocol` (json, rest-json, query, rest-xml, ec2)."""
    if protocol in ("json", "rest-json"):
        body = encode_json({"__type": error.code, "message": error.message, **error.detail})
        content_type = (
            "application/json" if protocol == "rest-json" else "application/x-amz-json-1.1"
        )
        return Answer(
            error.status, body, {"Content-Type": content_type, "x-amzn-ErrorType": error.code}
        )
    template = _EC2_ERROR if protocol == "ec2" else _XML_ERROR
    fault = "Receiver" if error.status >= 500 else "Sender"
    text = template.format(fault, escape(error.code), escape(error.message), request_id)
    return Answer(error.status, text.encode(), {"Content-Type": "text/xml"})


_XML_ERROR = (
    "<ErrorResponse><Error><Type>{}</Type><Code>{}</Code><Message>{}</Message></Error>"
    "<RequestId>{}</RequestId></ErrorResponse>"
)
_EC2_ERROR = (
    "<Response><Errors><Error><!--{}--><Code>{}</Code><Message>{}</Message></Error></Errors>"
    "<RequestID>{}</RequestID></Response>"
)
