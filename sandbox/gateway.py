"""The AWS endpoint: reads signed requests, calls our services, leaves the rest to moto."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import logging
import re
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox import refusals
from sandbox.errors import AwsError
from sandbox.moto_journal import Journal, changes
from sandbox.names import REGION
from sandbox.refusals import Arrival
from sandbox.switches import ConnectionDropped, Switches
from sandbox.wire import Answer, error_answer

if TYPE_CHECKING:
    from sandbox.moto_adapter import Call, HttpRequest, Tail

log = logging.getLogger("sandbox.gateway")

MAX_BODY = 8 * 1024 * 1024
_SIGNATURE = re.compile(
    r"^AWS4-HMAC-SHA256 +Credential=([^/,\s]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request,"
    r" *SignedHeaders=[^,\s]+, *Signature=[0-9a-f]{64}$"
)
_FAILURE = AwsError("InternalFailure", "The sandbox failed; see its log.", 500)
# Whoever calls these has no credentials yet: the token in the request says who it is.
_UNSIGNED = ("AssumeRoleWithWebIdentity", "AssumeRoleWithSAML")
_SERVICE_OF_SIGNING_NAME = {"monitoring": "cloudwatch", "elasticloadbalancing": "elbv2"}


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

    async def load(self, seed: Callable[[], None]) -> None:
        """Import moto and run `seed` in moto's thread; requests for moto wait behind it."""
        self._seed = seed
        await asyncio.get_running_loop().run_in_executor(self._moto, self._ensure_tail)

    async def in_moto(self, work: Callable[[], Any]) -> Any:
        """What `work` returns when it runs in moto's thread, after moto's import and seed."""
        return await asyncio.get_running_loop().run_in_executor(self._moto, self._after_seed, work)

    def _after_seed(self, work: Callable[[], Any]) -> Any:
        self._ensure_tail()
        return work()

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
        region, service = _scope(request, http)
        await self._opened.wait()
        adapter = await _adapter()
        call = adapter.match(service, http)
        protocol = call.protocol if call else adapter.protocol(service) or _guess_protocol(request)
        arrival = _arrival(request, service, call.name if call else _spoken_name(http), protocol)
        try:
            switch = await self.switches.before(arrival)
            if call is None and adapter.protocol(service):
                raise refusals.unknown_operation(arrival)
        except AwsError as error:
            return error_answer(error, protocol, request_id)
        method = self._method(call) if call and region == REGION else None
        if call and method:
            answer = await self._own(call, method, request_id)
        else:
            answer = await self._forward(http, arrival, request_id)
        return switch.spoil(answer) if switch else answer

    def _method(self, call: Call) -> Callable[..., Any] | None:
        from botocore import xform_name

        name = xform_name(call.name)
        found = (getattr(owner, name, None) for owner in self.owners.get(call.service, ()))
        return next((method for method in found if method is not None), None)

    async def _own(self, call: Call, method: Callable[..., Any], request_id: str) -> Answer:
        adapter = await _adapter()
        try:
            result = method(**adapter.parameters(call))
            if inspect.isawaitable(result):
                result = await result
            answer: Answer = adapter.serialise(call, result, request_id)
        except AwsError as error:
            return error_answer(error, call.protocol, request_id)
        except Exception:  # a defect of the sandbox must look like AWS failing
            log.exception("%s %s failed", call.service, call.name)
            return error_answer(_FAILURE, call.protocol, request_id)
        return answer

    async def _forward(self, http: HttpRequest, arrival: Arrival, request_id: str) -> Answer:
        loop = asyncio.get_running_loop()
        tail = await loop.run_in_executor(self._moto, self._ensure_tail)
        ask = tail.change if changes(arrival.operation) else tail.answer
        return await loop.run_in_executor(self._moto, ask, http, arrival, request_id)

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


def _scope(request: web.Request, http: HttpRequest) -> tuple[str, str]:
    """Region and botocore's service name, from the signature's credential scope."""
    header = request.headers.get("Authorization")
    if not header and _spoken_name(http) in _UNSIGNED:
        return REGION, "sts"
    if not header:
        message = "Request is missing Authentication Token"
        raise AwsError("MissingAuthenticationToken", message, 403)
    found = _SIGNATURE.match(header)
    if not found:
        message = "The request signature does not conform to AWS standards."
        raise AwsError("IncompleteSignature", message, 400)
    signing_name = found.group(4)
    return found.group(3), _SERVICE_OF_SIGNING_NAME.get(signing_name, signing_name)


async def _read(request: web.Request) -> HttpRequest:
    adapter = await _adapter()
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise AwsError("RequestEntityTooLarge", "The request body is too large.", 413) from error
    path, _, query = request.raw_path.partition("?")
    http: HttpRequest = adapter.HttpRequest(
        request.method, path, query, list(request.headers.items()), body
    )
    return http


def _guess_protocol(request: web.Request) -> str:
    content_type = request.headers.get("Content-Type", "")
    if content_type.startswith("application/x-amz-json"):
        return "json"
    return "rest-json" if content_type.startswith("application/json") else "query"


def _spoken_name(http: HttpRequest) -> str:
    """What a request that fits no operation calls itself, in a header or in its form."""
    target = dict(http.headers).get("X-Amz-Target", "").rsplit(".", 1)[-1]
    named = re.search(rb"(?:^|&)Action=(\w+)", http.body + b"&" + http.query.encode())
    return target or (named.group(1).decode() if named else "unknown")


def _arrival(request: web.Request, service: str, operation: str, protocol: str) -> Arrival:
    signature = _SIGNATURE.match(request.headers.get("Authorization", ""))
    return Arrival(
        service=service,
        operation=operation,
        protocol=protocol,
        access_key=signature.group(1) if signature else "",
        signed_at=refusals.signed_at(request.headers.get("X-Amz-Date", "")),
    )


def _response(answer: Answer, request_id: str) -> web.Response:
    headers = {k: v for k, v in answer.headers.items() if k.lower() != "content-length"}
    headers |= {"x-amzn-RequestId": request_id, "Date": formatdate(usegmt=True)}
    return web.Response(status=answer.status, body=answer.body, headers=headers)


async def _drop(request: web.Request) -> web.Response:
    """Close the connection without a byte: the caller cannot know whether it was applied."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
