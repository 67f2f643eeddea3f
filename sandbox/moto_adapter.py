"""The one place that knows moto: its router, parsers and serialisers, and its services as the tail.

moto's core is an internal API, so pyproject.toml pins moto and nothing else imports it (world.py
asks this module for the backends it seeds).
"""

from __future__ import annotations

import io
import json
import logging
import secrets
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import moto.core.utils
from botocore.exceptions import UnknownServiceError
from botocore.utils import parse_timestamp
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request
from moto.core.routing import get_service_router
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

from sandbox import clock, constraints, json_types, moto_outgoing, moto_resources, refusals
from sandbox.errors import AwsError
from sandbox.moto_forms import Ec2FormParser, FormParser
from sandbox.moto_journal import LIMIT, Entry, Journal
from sandbox.refusals import Arrival
from sandbox.wire import Answer, encode_json, error_answer

log = logging.getLogger("sandbox.moto")

# The gateway writes its own; and no web page may read an answer (moto would allow every origin).
_NOT_PASSED_ON = ("content-length", "date", "server", "x-amzn-requestid", "access-control-")
_FAILURE = AwsError("InternalFailure", "The sandbox could not answer this request.", 500)
# By media type, where it tells the protocol.
_SPOKEN = {
    "application/x-amz-json-1.0": "json",
    "application/x-amz-json-1.1": "json",
    "application/json": "rest-json",
    "application/x-www-form-urlencoded": "query",
    "application/cbor": "cbor",
}
_PARSERS = {**PROTOCOL_PARSERS, "query": FormParser, "ec2": Ec2FormParser}
_MALFORMED = {
    "json": ("SerializationException", "The request could not be parsed."),
    "rest-json": ("SerializationException", "The request could not be parsed."),
    "query": ("MalformedInput", "A parameter is not of its type."),
    "ec2": ("MalformedInput", "A parameter is not of its type."),
    "rest-xml": (
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    ),
}
_FULL = AwsError(
    "LimitExceededException",
    f"The sandbox keeps {LIMIT} changes of the services it leaves to moto; begin with a new home.",
)


@dataclass(frozen=True)
class HttpRequest:
    """What the gateway received; `path` and `query` are percent-encoded as on the wire."""

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True)
class Call:
    """A request matched to one operation of one service."""

    service: str
    operation: Any
    protocol: str
    uri_params: dict[str, Any]
    request: Request

    @property
    def name(self) -> str:
        """The operation's name as the model writes it, such as `UpdateService`."""
        return str(self.operation.name)


def environ(request: HttpRequest) -> dict[str, Any]:
    """The WSGI environment of `request`."""
    values: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path,
        "RAW_URI": request.path,
        "REQUEST_URI": request.path,
        "QUERY_STRING": request.query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers:
        key = name.upper().replace("-", "_")
        values[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    values.pop("HTTP_TRANSFER_ENCODING", None)  # the body is whole; werkzeug would not read it
    return values | {"CONTENT_LENGTH": str(len(request.body))}


def protocol(service: str, content_type: str | None) -> str | None:
    """The protocol of a request to `service`, None for a service that AWS does not have."""
    try:
        model = get_service_model(service)
    except (UnknownServiceError, FileNotFoundError):
        return None
    spoken = _SPOKEN.get((content_type or "").partition(";")[0].strip().lower(), "")
    offered = model.metadata.get("protocols", [model.protocol])
    if spoken == "query" and "ec2" in offered:
        return "ec2"
    if spoken == "cbor" and "smithy-rpc-v2-cbor" in offered:
        return "cbor"
    readable = [name for name in offered if name in PROTOCOL_PARSERS]
    return str(spoken if spoken in readable and service != "s3" else readable[-1])


def operation_names(service: str) -> list[str]:
    """Every operation of `service`, as the model spells it. Raises UnknownServiceError."""
    return list(get_service_model(service).operation_names)


def match(services: Iterable[str], request: HttpRequest) -> Call | None:
    """The operation `request` asks the first of `services` for that has it, None when none has."""
    wrapped = Request(environ(request))
    calls = (_match(service, wrapped) for service in services)
    return next((call for call in calls if call), None)


def _match(service: str, request: Request) -> Call | None:
    spoken = protocol(service, request.content_type)
    if spoken is None or not _proper(service, spoken, request):
        return None
    # Not match: moto takes media types for another protocol when they have parameters.
    router = get_service_router(service)._get_router
    try:
        operation, uri_params = router(spoken).match(request)
    except (NotFound, NotImplementedError, FileNotFoundError):
        return None
    return Call(service, operation, spoken, uri_params, request)


def _proper(service: str, spoken: str, request: Request) -> bool:
    """Whether method, media type and API version are the protocol's."""
    if spoken == "json":
        media_type = (request.content_type or "").lower()
        return request.method == "POST" and media_type.startswith("application/x-amz-json-1.")
    if spoken in ("query", "ec2"):
        version = get_service_model(service).metadata["apiVersion"]
        return request.method in ("GET", "POST") and request.values.get("Version") == version
    return spoken != "cbor"


def parameters(call: Call) -> dict[str, Any]:
    """The parameters under botocore's names, timestamps in UTC.

    Raises AwsError SerializationException, MalformedInput or MalformedXML for a body that does not
    parse or has other types, and the service's own error for values that break the model.
    """
    request = call.request
    wire: Any = {
        "method": request.method,
        "values": request.values,
        "headers": request.headers,
        "body": request.data,
        "url_path": request.path,
        "url_params": call.uri_params,
    }
    parser = _PARSERS[call.protocol](call.operation, timestamp_parser=_utc)
    if call.protocol in ("json", "rest-json"):
        _check_types(call)
    try:
        values: dict[str, Any] = parser.parse(wire) or {}
    except Exception as error:  # the parser raises whatever the malformed body makes it stumble on
        raise AwsError(*_MALFORMED[call.protocol]) from error
    if call.operation.input_shape is not None:
        constraints.check(call.service, call.protocol, values, call.operation.input_shape)
    return values


def _check_types(call: Call) -> None:
    """moto's parser takes what is not JSON for empty, and every text for a list of letters."""
    shape = call.operation.input_shape
    if shape is None or "payload" in shape.serialization:
        return
    try:
        body = json.loads(call.request.data or b"{}", parse_constant=float.fromhex)
        wrong = json_types.mismatch({} if body is None else body, shape)
    except (ValueError, RecursionError) as error:
        raise AwsError(*_MALFORMED[call.protocol]) from error
    if wrong or body is None:
        raise AwsError("SerializationException", wrong or "Unexpected null")


def _utc(value: Any) -> datetime:
    parsed: datetime = parse_timestamp(value)
    return parsed.astimezone(UTC)


def serialise(call: Call, result: Any, request_id: str) -> Answer:
    """`result`, a dict in botocore's output shape, as the protocol's bytes."""
    if call.protocol == "json":
        version = call.operation.service_model.metadata.get("jsonVersion", "1.0")
        content_type = {"Content-Type": f"application/x-amz-json-{version}"}
        return Answer(200, encode_json(result or {}), content_type)
    serializer = get_serializer_class(call.service, call.protocol)
    context = SerializationContext(request_id)
    out = serializer(operation_model=call.operation, context=context).serialize(result or {})
    body = out["body"].encode() if isinstance(out["body"], str) else out["body"]
    return Answer(out["status_code"], body, dict(out["headers"]))


class Tail:
    """Every operation the sandbox does not answer itself, answered by moto in this process.

    What changes moto's state is written to the journal before the answer leaves.
    """

    def __init__(self, journal: Journal) -> None:
        # Every service's module takes utcnow from here when it is imported, which is later.
        moto.core.utils.utcnow = self._utcnow
        moto_resources.make_lean()
        from moto.moto_api._internal import mock_random
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        moto_outgoing.confine()
        self._application = DomainDispatcherApplication(create_backend_app)
        self._journal = journal
        self._random = mock_random
        self._moment: float | None = None

    def _utcnow(self) -> datetime:
        """Sandbox time as moto wants it, naive; a change happens at one moment, then and again."""
        at = clock.time() if self._moment is None else self._moment
        return datetime.fromtimestamp(at, UTC).replace(tzinfo=None)

    def restore(self, seed: Callable[[], None], at: float) -> None:
        """Make the account as it was: `seed` it as of `at`, then do again what was done since."""
        self._moment = at
        self._random.seed(0)
        seed()
        for entry in self._journal.entries():
            self._moment = entry.at
            self._random.seed(entry.seed)
            self._do_again(entry)
        self._moment = None

    def _do_again(self, entry: Entry) -> None:
        request = HttpRequest(entry.method, entry.path, entry.query, entry.headers, entry.body)
        try:
            status, _, _ = self._call(request)
        except Exception:  # one change that cannot be repeated must not take the whole tail away
            log.exception("could not replay %s %s of %s", entry.method, entry.path, entry.at)
            return
        if status >= 400:
            log.error("could not replay %s %s of %s", entry.method, entry.path, entry.at)

    def change(self, request: HttpRequest, arrival: Arrival, request_id: str) -> Answer:
        """Answer a request that changes the account, and write it down when it was applied."""
        if self._journal.full:
            return error_answer(_FULL, arrival.form, request_id)
        at, seed = clock.time(), secrets.randbits(63)
        self._random.seed(seed)
        self._moment = at
        answer = self.answer(request, arrival, request_id)
        self._moment = None
        if answer.status < 400:
            fields = (request.method, request.path, request.query, request.headers, request.body)
            self._journal.append(Entry(at, seed, *fields))
        return answer

    def answer(self, request: HttpRequest, arrival: Arrival, request_id: str) -> Answer:
        """Call moto. Its HTML error pages become typed errors, what it lacks is refused by name."""
        not_served = error_answer(refusals.not_served(arrival), arrival.form, request_id)
        try:
            status, headers, body = self._call(request)
        except NotImplementedError:
            return not_served
        except Exception:  # moto stumbles over bad input with whatever its code happens to raise
            if not self._has_service(request):
                return not_served
            log.exception("moto failed")
            return error_answer(_FAILURE, arrival.form, request_id)
        kept = {k: v for k, v in headers if not k.lower().startswith(_NOT_PASSED_ON)}
        if status >= 400 and body and "text/html" in kept.get("Content-Type", ""):
            unrouted = status in (404, 405) and body[:15].lower() == b"<!doctype html>"
            failure = error_answer(_FAILURE, arrival.form, request_id)
            return not_served if unrouted else failure
        return Answer(status, body, kept)

    def _has_service(self, request: HttpRequest) -> bool:
        """Whether moto has anything of the service that signed the request."""
        host = self._application.infer_service_region_host(environ(request), request.path)
        return host is None or self._application.get_backend_for_host(host) is not None

    def _call(self, request: HttpRequest) -> tuple[int, list[tuple[str, str]], bytes]:
        status = 500
        headers: list[tuple[str, str]] = []

        def start_response(line: str, fields: list[tuple[str, str]], _: object = None) -> None:
            nonlocal status, headers
            status, headers = int(line.split(maxsplit=1)[0]), fields

        chunks: Iterable[bytes] = self._application(environ(request), start_response)
        return status, headers, b"".join(chunks)


def backend(service: str, account: str, region: str) -> Any:
    """moto's in-memory state of one service, for seeding."""
    from moto.backends import get_backend

    return get_backend(service)[account][region]  # type: ignore[call-overload]
