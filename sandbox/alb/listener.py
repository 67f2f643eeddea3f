"""A client's connection: one request at a time, each sent to the target the router chooses."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import time
from dataclasses import dataclass, field
from http.client import responses
from typing import cast

import httptools

from sandbox import clock
from sandbox.alb.access_log import AccessLog, Entry
from sandbox.alb.actions import FixedResponse, Forward
from sandbox.alb.message import Request, TooLarge
from sandbox.alb.metrics import Book, Minute
from sandbox.alb.routing import Router, Target
from sandbox.alb.trouble import RESET, Trouble
from sandbox.alb.upstream import Upstream

IDLE_SECONDS = 60.0
CONNECT_SECONDS = 10.0
_REASONS = {
    400: b"Bad Request",
    413: b"Payload Too Large",
    502: b"Bad Gateway",
    503: b"Service Temporarily Unavailable",
    504: b"Gateway Time-out",
}
_REPEATABLE = (b"GET", b"HEAD", b"OPTIONS")


@dataclass
class Listener:
    """One listener on one port, with what all its connections share.

    `name` is `app/<name>/<id>/<id>` of load balancer and listener.
    """

    name: str
    port: int
    router: Router
    book: Book
    log: AccessLog
    trouble: Trouble
    protocol: str = "http"
    idle_seconds: float = IDLE_SECONDS
    connections: set[ClientConnection] = field(default_factory=set)
    load_balancer: str = field(init=False)

    def __post_init__(self) -> None:
        self.load_balancer = self.name.rpartition("/")[0]


class ClientConnection(asyncio.Protocol):
    """Reads requests, forwards each to one target, passes the response through."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._request = Request(self)
        self._waiting = bytearray()
        self._busy = False
        self._upstream: Upstream | None = None
        self._target: Target | None = None
        self._group: str | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._first_byte: float | None = None
        self._sent = 0
        self._last = False

    # -- the client's side ---------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: a client connected."""
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self._client = peer[0] if peer else "127.0.0.1"
        self._listener.connections.add(self)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the client left; a request in flight is abandoned and logged as 460."""
        self._listener.connections.discard(self)
        self._stop_watching()
        if not self._busy:
            return
        if self._upstream is not None:
            self._upstream.abandon()
        self._count(460)
        self._record(460, None)
        self._release()
        self._busy = False

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes from the client; a pipelined request waits for its turn."""
        if self._busy:
            self._waiting += data
            if len(self._waiting) > 2 * 1024 * 1024:
                self._transport.abort()
            return
        self._watch()
        request = self._request
        try:
            request.feed(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            too_large = isinstance(error.__context__, TooLarge)
            self._refuse(413 if too_large else 400)
            return
        if request.complete:
            self._start(request)

    def end(self) -> None:
        """Close when the request in flight is answered, at once when there is none."""
        self._last = True
        if not self._busy:
            self._transport.close()

    def expects_continue(self) -> None:
        """The client waits for permission to send its body."""
        self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def pause_writing(self) -> None:
        """asyncio: the client reads slower than the target writes."""
        if self._upstream is not None:
            self._upstream.pause_reading()

    def resume_writing(self) -> None:
        """asyncio: the client caught up."""
        if self._upstream is not None:
            self._upstream.resume_reading()

    def pause(self) -> None:
        """Hold back what the client sends."""
        self._transport.pause_reading()

    def resume(self) -> None:
        """Go on."""
        self._transport.resume_reading()

    # -- one request ---------------------------------------------------------------------------

    def _start(self, request: Request) -> None:
        self._busy = True
        self._keep = request.keep_alive and not self._last
        self._first_byte = None
        self._sent = 0
        request.trace_id()
        self._wire = request.forwarded(self._client, self._listener.port, self._listener.protocol)
        struck = self._listener.trouble.strike(self._listener.load_balancer)
        if struck is None:
            self._choose()
        elif struck == RESET:
            self._reset()
        else:
            self._answer(struck)

    def _reset(self) -> None:
        """Break the client's connection; nobody answered, so nothing is counted as an answer."""
        self._busy = False
        with socket.socket(fileno=os.dup(self._transport.get_extra_info("socket").fileno())) as own:
            # Without lingering, closing sends RST instead of FIN.
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _choose(self) -> None:
        listener = self._listener
        action = listener.router.action(listener.name, self._request, self._client)
        if isinstance(action, Forward):
            self._forward(action)
        elif isinstance(action, FixedResponse):
            self._answer(action.status, action.content_type, action.body)
        else:
            self._answer(action.status, location=action.location(self._request, listener))

    def _forward(self, action: Forward) -> None:
        self._group, target = self._listener.router.choose(action)
        if target is None:
            self._answer(503)
            return
        self._target = target
        target.begin()
        while target.idle:
            upstream = target.idle.pop()
            if upstream.alive():
                self._send(upstream)
                return
        self._connect(target)

    def _connect(self, target: Target) -> None:
        task = asyncio.get_running_loop().create_task(self._open(target))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _open(self, target: Target) -> None:
        connecting = asyncio.get_running_loop().create_connection(
            lambda: Upstream(target), target.host, target.port
        )
        try:
            _, upstream = await asyncio.wait_for(connecting, CONNECT_SECONDS)
        except OSError as error:
            if self._busy:
                self._unreachable(target, 504 if isinstance(error, TimeoutError) else 502)
            return
        if self._busy and self._target is target:
            self._send(upstream)
        else:
            upstream.abandon()

    def _unreachable(self, target: Target, status: int) -> None:
        target.eject()
        self._minute(self._group).counts["connection_errors"] += 1
        self._answer(status)

    def _send(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._sent_at = time.perf_counter()
        self._watch()
        upstream.send(self, self._wire, head=self._request.method == b"HEAD")

    # -- the target's side ---------------------------------------------------------------------

    def response_started(self) -> None:
        """The first bytes of the response are here: that is TargetResponseTime."""
        self._first_byte = time.perf_counter() - self._sent_at

    def response_bytes(self, data: bytes) -> None:
        """More of the response."""
        self._watch()
        self._sent += len(data)
        self._transport.write(data)

    def response_done(self, status: int, *, keep: bool) -> None:
        """The response ended."""
        self._keep = self._keep and keep
        self._count_target(status)
        self._record(status, status)
        self._finish()

    def response_lost(self, upstream: Upstream) -> None:
        """The target closed without a byte of answer: 502, and no retry, as on AWS.

        One exception. A kept-alive connection may be closed by the target at the very moment a
        request is put on it; then the target has not seen the request, and a repeatable one is
        sent again, once, on a new connection (RFC 9110 section 9.2.2).
        """
        target = upstream.target
        if upstream.reused and self._request.method in _REPEATABLE:
            if target.draining:
                self._release()
                self._choose()
            else:
                self._connect(target)
            return
        self._unreachable(target, 502)

    # -- endings -------------------------------------------------------------------------------

    def _refuse(self, status: int) -> None:
        self._busy = True
        self._keep = False
        self._answer(status)

    def _answer(
        self, status: int, content_type: str = "", body: bytes = b"", *, location: bytes = b""
    ) -> None:
        """Answer in the load balancer's own name."""
        reason = _REASONS.get(status) or responses.get(status, "").encode()
        lines = [b"HTTP/1.1 %d %s" % (status, reason), b"Server: awselb/2.0"]
        if location:
            lines.append(b"Location: " + location)
        if body:
            lines.append(b"Content-Type: " + content_type.encode())
        lines.append(b"Content-Length: %d" % len(body))
        if not self._keep:
            lines.append(b"Connection: close")
        shown = b"" if body and self._request.method == b"HEAD" else body
        self._transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + shown)
        self._count(status)
        self._record(status, None)
        self._finish()

    def _count(self, status: int) -> None:
        counts = self._minute(None).counts
        if status >= 400:
            counts["elb_5xx" if status >= 500 else "elb_4xx"] += 1
        if status in (502, 503, 504):
            counts[f"elb_{status}"] += 1
        if self._target is not None:
            self._minute(self._group).counts["requests"] += 1

    def _count_target(self, status: int) -> None:
        minute = self._minute(self._group)
        minute.counts["requests"] += 1
        minute.counts[f"target_{min(max(status // 100, 2), 5)}xx"] += 1
        minute.counts["bytes"] += self._sent + self._request.received
        if self._first_byte is not None:
            minute.time(self._first_byte)

    def _minute(self, group: str | None) -> Minute:
        return self._listener.book.at(clock.time(), self._listener.load_balancer, group)

    def _record(self, status: int, target_status: int | None) -> None:
        request = self._request
        self._listener.log.write(
            Entry(
                load_balancer=self._listener.load_balancer,
                client=self._client,
                target_group=self._group,
                target=f"{self._target.host}:{self._target.port}" if self._target else None,
                version=self._target.version if self._target else None,
                status=status,
                target_status=target_status,
                method=request.method.decode() if request.url else "-",
                path=request.url.decode("latin-1") or "-",
                started=request.started,
                target_seconds=self._first_byte,
                received=request.received,
                sent=self._sent,
            )
        )

    def _release(self) -> None:
        if self._target is not None:
            self._target.end()
        self._target = self._upstream = None

    def _finish(self) -> None:
        self._release()
        self._busy = False
        self._request = Request(self)
        # A request that is refused must not be logged with what the one before it met.
        self._group, self._first_byte, self._sent = None, None, 0
        if self._last or not self._keep:
            self._transport.close()
            return
        self._watch()
        waiting, self._waiting = bytes(self._waiting), bytearray()
        if waiting:
            self.data_received(waiting)

    # -- idle time-out -------------------------------------------------------------------------

    def _watch(self) -> None:
        self._stop_watching()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._listener.idle_seconds, self._idled)

    def _stop_watching(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _idled(self) -> None:
        if not self._busy:
            self._transport.close()
            return
        if self._upstream is not None:
            self._upstream.abandon()
        if self._first_byte is None:
            self._keep = False
            self._answer(504)
        else:
            self._transport.abort()
