"""AWS answers that need no service model: JSON bodies and errors of every protocol."""

from __future__ import annotations

import base64
import json
import re
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
    """`error` in the shape of `protocol` (json, rest-json, query, rest-xml, ec2, cbor, s3)."""
    if protocol == "cbor":
        body = b"\xa2" + b"".join(map(_cbor, ("__type", error.code, "message", error.message)))
        headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return Answer(error.status, body, headers)
    if protocol in ("json", "rest-json"):
        body = encode_json({"__type": error.code, "message": error.message, **error.detail})
        content_type = (
            "application/json" if protocol == "rest-json" else "application/x-amz-json-1.1"
        )
        return Answer(
            error.status, body, {"Content-Type": content_type, "x-amzn-ErrorType": error.code}
        )
    template = {"ec2": _EC2_ERROR, "s3": _S3_ERROR}.get(protocol, _XML_ERROR)
    fault = "Receiver" if error.status >= 500 else "Sender"
    message = escape(_NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", error.message))
    text = template.format(fault, escape(error.code), message, request_id)
    return Answer(error.status, text.encode(), {"Content-Type": "text/xml"})


def _cbor(text: str) -> bytes:
    """A text string of RFC 8949: major type 3, its length in two bytes."""
    data = text.encode(errors="replace")[:0xFFFF]
    return b"\x79" + len(data).to_bytes(2, "big") + data


# What an XML 1.0 document may not hold, not even escaped.
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


_XML_ERROR = (
    "<ErrorResponse><Error><Type>{}</Type><Code>{}</Code><Message>{}</Message></Error>"
    "<RequestId>{}</RequestId></ErrorResponse>"
)
_S3_ERROR = "<Error><!--{}--><Code>{}</Code><Message>{}</Message><RequestId>{}</RequestId></Error>"
_EC2_ERROR = (
    "<Response><Errors><Error><!--{}--><Code>{}</Code><Message>{}</Message></Error></Errors>"
    "<RequestID>{}</RequestID></Response>"
)
