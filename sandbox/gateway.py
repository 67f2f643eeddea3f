"""The AWS endpoint: reads signed requests, calls our services, leaves the rest to moto."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import logging
import re
import uuid
import zlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from email.utils import formatdate
from functools import cache
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox import clock, constraints, refusals, signing, tokens
from sandbox.errors import AwsError
from sandbox.moto_journal import Journal, changes
from sandbox.names import REGION
from sandbox.refusals import Arrival
from sandbox.signing import Scope
from sandbox.switches import ConnectionDropped, Switches
from sandbox.wire import Answer, error_answer

if TYPE_CHECKING:
    from sandbox.moto_adapter import Call, HttpRequest, Tail

log = logging.getLogger("sandbox.gateway")

MAX_BODY = 8 * 1024 * 1024
PATIENCE = 20.0  # seconds; S3's, the only one AWS documents
_FAILURE = AwsError("InternalFailure", "The sandbox failed; see its log.", 500)
# One for all regions; with an endpoint_url SDKs sign for the region they are configured for.
_GLOBAL = ("budgets", "ce", "cost-optimization-hub", "iam", "sts")
# Whoever calls these has no credentials yet: the token in the request says who it is.
_UNSIGNED = ("AssumeRoleWithWebIdentity", "AssumeRoleWithSAML")


class Gateway:
    """Routes requests by signing name. `owners` maps botocore's service name to its objects."""

    def __init__(self, switches: Switches, journal: Journal, epoch: datetime) -> None:
        self._journal = journal
        self.owners: dict[str, list[object]] = {}
        self.switches = switches
        self._opened = asyncio.Event()
        self._tail: Tail | None = None
        self._seed: Callable[[], None] = lambda: None
        self._began = epoch.timestamp()
        # One thread: moto's state is not made for concurrent writes.
        self._moto = ThreadPoolExecutor(1, thread_name_prefix="moto")

    def open(self) -> None:
        """Let requests through; until then they wait, so that nobody sees a half-made account."""
        self._opened.set()

    async def load(self, seed: Callable[[], None], settle: Callable[[], Any]) -> Any:
        """Import moto and run `seed` in moto's thread, do again what was journaled, and `settle`.

        Requests for moto wait behind it. Returns what `settle` returns.
        """
        self._seed = seed
        return await self.in_moto(settle)

    async def in_moto(self, work: Callable[[], Any]) -> Any:
        """What `work` returns when it runs in moto's thread, after moto's import and seed."""
        return await asyncio.get_running_loop().run_in_executor(self._moto, self._after_seed, work)

    def _after_seed(self, work: Callable[[], Any]) -> Any:
        self._ensure_tail()
        return work()

    async def with_tail(self, work: Callable[[Tail], Any]) -> Any:
        """What `work` returns when it is given moto, in moto's thread."""
        return await asyncio.get_running_loop().run_in_executor(
            self._moto, lambda: work(self._ensure_tail())
        )

    def run_in_moto(self, work: Callable[[], None]) -> None:
        """Queue `work` behind everything moto was asked before."""
        self._moto.submit(work).add_done_callback(_report)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one AWS request."""
        request_id = str(uuid.uuid4())
        try:
            answer = await self._answer(request, request_id)
        except AwsError as error:
            answer = error_answer(error, _guess_protocol(request), request_id)
        except ConnectionDropped:
            answer = None
        except Exception:  # a defect of the sandbox must look like AWS failing
            log.exception("the gateway failed")
            answer = error_answer(_FAILURE, _guess_protocol(request), request_id)
        if answer is None:
            return await _drop(request)
        return _response(answer, request_id)

    async def _answer(self, request: web.Request, request_id: str) -> Answer | None:
        http = await _read(request)
        scope = _scope(http)
        if scope.signing_name != "s3":  # whose objects stay encoded as they came
            http = _decoded(http)
        await self._opened.wait()
        adapter = await _adapter()
        call = adapter.match(scope.services, http)
        arrival = _arrival(request, http, scope, call, adapter)
        try:
            switch = await self.switches.before(arrival)
            if call is None:
                raise refusals.unknown_operation(arrival)
        except AwsError as error:
            return error_answer(error, arrival.form, request_id)
        here = scope.region == REGION or call.service in _GLOBAL
        method = self._method(call) if here else None
        if method:
            answer = await self._own(call, method, request_id)
        else:
            answer = await self._forward(call, http, arrival, request_id)
        return switch.spoil(answer) if switch else answer

    def _method(self, call: Call) -> Callable[..., Any] | None:
        from botocore import xform_name

        name = xform_name(call.name)
        found = (getattr(owner, name, None) for owner in self.owners.get(call.service, ()))
        return next((method for method in found if method is not None), None)

    async def _own(self, call: Call, method: Callable[..., Any], request_id: str) -> Answer:
        adapter = await _adapter()
        tokens.answering.set(f"{call.service}.{call.name}")
        try:
            parameters = adapter.parameters(call)
            taken = _taken(getattr(method, "__func__", method))
            if taken is not None and (unknown := parameters.keys() - taken):
                raise constraints.unsupported(call.service, call.protocol, unknown)
            result = method(**parameters)
            if inspect.isawaitable(result):
                result = await result
            answer: Answer = adapter.serialise(call, result, request_id)
        except AwsError as error:
            return error_answer(error, call.protocol, request_id)
        except Exception:  # a defect of the sandbox must look like AWS failing
            log.exception("%s %s failed", call.service, call.name)
            return error_answer(_FAILURE, call.protocol, request_id)
        return answer

    async def _forward(
        self, call: Call, http: HttpRequest, arrival: Arrival, request_id: str
    ) -> Answer:
        loop = asyncio.get_running_loop()
        tail = await loop.run_in_executor(self._moto, self._ensure_tail)
        ask = tail.change if changes(arrival.operation) else tail.answer
        answer: Answer = await loop.run_in_executor(self._moto, ask, http, arrival, request_id)
        if answer.status == 500:
            try:  # moto does not check what it is given, and stumbles over it
                (await _adapter()).parameters(call)
            except AwsError as error:
                return error_answer(error, arrival.form, request_id)
        return answer

    def _ensure_tail(self) -> Tail:
        if self._tail is None:
            from sandbox.moto_adapter import Tail

            tail = Tail(self._journal)
            tail.restore(self._seed, self._began)
            self._tail = tail
        return self._tail

    def close(self) -> None:
        """Forget what moto has not answered yet."""
        self._moto.shutdown(wait=True, cancel_futures=True)
        self._journal.close()


@cache
def _taken(method: Callable[..., Any]) -> frozenset[str] | None:
    """The parameters a method takes, None when it takes any."""
    parameters = inspect.signature(method).parameters.values()
    takes_any = any(one.kind is one.VAR_KEYWORD for one in parameters)
    return None if takes_any else frozenset(one.name for one in parameters)


def _report(done: Future[None]) -> None:
    if not done.cancelled() and done.exception():
        log.error("moto could not be told", exc_info=done.exception())


_loaded: list[Any] = []


async def _adapter() -> Any:
    """moto's core costs a second to import: never on the event loop, never before listening."""
    if not _loaded:
        # A module that another thread still imports is in sys.modules already, but not complete;
        # import_module waits for it.
        _loaded.append(await asyncio.to_thread(importlib.import_module, "sandbox.moto_adapter"))
    return _loaded[0]


def _scope(http: HttpRequest) -> Scope:
    header = next((value for name, value in http.headers if name == "Authorization"), "")
    if not header and _spoken_name(http) in _UNSIGNED:
        return Scope("", REGION, "sts")
    return signing.scope(header)


async def _read(request: web.Request, patience: float = PATIENCE) -> HttpRequest:
    adapter = await _adapter()
    try:
        async with asyncio.timeout(patience):
            body = await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise _too_large() from error
    except TimeoutError as error:
        message = (
            "Your socket connection to the server was not read from or written to within the "
            "timeout period. Idle connections will be closed."
        )
        raise AwsError("RequestTimeout", message) from error
    except web.RequestPayloadError as error:
        raise _miscoded() from error
    path, _, query = request.raw_path.partition("?")
    headers = [
        (name, value) for name, value in request.headers.items() if name.lower() != "authorization"
    ]
    authorization = request.headers.get("Authorization") or signing.presigned(query)
    if authorization:
        headers.append(("Authorization", authorization))
    http: HttpRequest = adapter.HttpRequest(request.method, path, query, headers, body)
    return http


def _decoded(http: HttpRequest) -> HttpRequest:
    """The request without gzip, as AWS's SDKs send bodies from 10 KiB on; raises AwsError."""
    rest = [(name, value) for name, value in http.headers if name.lower() != "content-encoding"]
    encodings = [value.lower() for name, value in http.headers if (name, value) not in rest]
    if encodings != ["gzip"]:
        return http
    unpacking = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        body = unpacking.decompress(http.body, MAX_BODY + 1)
    except zlib.error as error:
        raise _miscoded() from error
    if len(body) > MAX_BODY:
        raise _too_large()
    if not unpacking.eof:
        raise _miscoded()
    return replace(http, headers=rest, body=body)


def _too_large() -> AwsError:
    return AwsError("RequestEntityTooLarge", "The request body is too large.", 413)


def _miscoded() -> AwsError:
    message = "The request body is not encoded as its headers say."
    return AwsError("SerializationException", message)


def _guess_protocol(request: web.Request) -> str:
    content_type = request.headers.get("Content-Type", "")
    if content_type.startswith("application/x-amz-json"):
        return "json"
    if content_type.startswith("application/cbor"):
        return "cbor"
    return "rest-json" if content_type.startswith("application/json") else "query"


def _spoken_name(http: HttpRequest) -> str:
    """What a request that fits no operation calls itself, in a header, its path or its form."""
    headers = {name.lower(): value for name, value in http.headers}
    target = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
    in_path = re.search(r"/operation/(\w+)$", http.path)
    return target or (in_path.group(1) if in_path else _in_form(http, "Action"))


def _in_form(http: HttpRequest, name: str) -> str:
    found = re.search(
        rb"(?:^|&)" + name.encode() + rb"=([\w.-]+)", http.body + b"&" + http.query.encode()
    )
    return found.group(1).decode() if found else ""


def _arrival(
    request: web.Request, http: HttpRequest, scope: Scope, call: Call | None, adapter: Any
) -> Arrival:
    """The request as faults see it; raises AwsError for a service that AWS does not have."""
    service = call.service if call else scope.services[0]
    protocol = adapter.protocol(service, request.headers.get("Content-Type"))
    arrival = Arrival(
        service=service,
        operation=call.name if call else _spoken_name(http),
        protocol=protocol or _guess_protocol(request),
        access_key=scope.access_key,
        signed_at=refusals.signed_at(request.headers.get("X-Amz-Date", "")),
        version="" if call else _in_form(http, "Version"),
    )
    if protocol is None:
        raise refusals.wrong_scope(arrival)
    return arrival


def _response(answer: Answer, request_id: str) -> web.Response:
    headers = {k: v for k, v in answer.headers.items() if k.lower() != "content-length"}
    headers |= {"x-amzn-RequestId": request_id, "Date": formatdate(clock.time(), usegmt=True)}
    return web.Response(status=answer.status, body=answer.body, headers=headers)


async def _drop(request: web.Request) -> web.Response:
    """Close the connection without a byte: the caller cannot know whether it was applied."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
