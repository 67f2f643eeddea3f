"""Requests as they arrive from a client and leave for a target."""

from __future__ import annotations

import secrets
from typing import Any, Protocol

import httptools

from sandbox import clock

MAX_HEADER_BYTES = 64 * 1024
MAX_BODY_BYTES = 1024 * 1024

# Hop by hop (RFC 9110 section 7.6.1), or written anew by the load balancer.
_DROPPED = frozenset(
    b"connection keep-alive proxy-connection te trailer upgrade transfer-encoding content-length "
    b"expect x-forwarded-for x-forwarded-proto x-forwarded-port".split()
)


class TooLarge(Exception):
    """The request exceeds what the load balancer buffers."""


class Wants(Protocol):
    """Whoever must send `100 Continue`."""

    def expects_continue(self) -> None:
        """The client waits for permission to send its body."""


class Request:
    """One request, filled by httptools' callbacks. `complete` once its body has arrived."""

    def __init__(self, owner: Wants) -> None:
        self._owner = owner
        self._parser = httptools.HttpRequestParser(self)
        self._header_bytes = 0
        self.url = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()
        self.complete = False
        self.keep_alive = False
        self.received = 0
        self.started = clock.time()

    def feed(self, data: bytes) -> None:
        """Parse `data`; raises TooLarge or httptools' errors for what is not HTTP."""
        self.received += len(data)
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        """httptools: a piece of the request target."""
        self.url += url
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """httptools: one header line."""
        self._count(len(name) + len(value))
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """httptools: the header block ended."""
        if self.header(b"expect").lower() == b"100-continue":
            self._owner.expects_continue()

    def on_body(self, body: bytes) -> None:
        """httptools: a piece of the body, already unchunked."""
        if len(self.body) + len(body) > MAX_BODY_BYTES:
            raise TooLarge
        self.body += body

    def on_message_complete(self) -> None:
        """httptools: the request ended. The parser knows about keep-alive only now."""
        self.complete = True
        self.keep_alive = bool(self._parser.should_keep_alive())

    def _count(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > MAX_HEADER_BYTES:
            raise TooLarge

    @property
    def method(self) -> bytes:
        """GET, HEAD, POST…"""
        method: bytes = self._parser.get_method()
        return method

    def header(self, name: bytes) -> bytes:
        """The first value of `name` (lower case), or nothing."""
        return next((value for key, value in self.headers if key.lower() == name), b"")

    @property
    def host(self) -> str:
        """The host name the client asked for, without a port."""
        host = self.header(b"host").decode("latin-1")
        name, _, port = host.rpartition(":")
        return name if port.isdigit() else host

    def forwarded(self, client: str, port: int, protocol: str) -> bytes:
        """The request as the target shall see it, with X-Forwarded-* and a trace id."""
        lines = [b"%s %s HTTP/%s" % (self.method, self.url, self._version())]
        lines += [b"%s: %s" % pair for pair in self.headers if pair[0].lower() not in _DROPPED]
        lines += self._added(client.encode(), port, protocol.encode())
        if self.body or self.header(b"content-length") or self.header(b"transfer-encoding"):
            lines.append(b"Content-Length: %d" % len(self.body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + bytes(self.body)

    def _added(self, client: bytes, port: int, protocol: bytes) -> list[bytes]:
        sent = b", ".join(v for k, v in self.headers if k.lower() == b"x-forwarded-for")
        added = [
            b"X-Forwarded-For: %s" % (sent + b", " + client if sent else client),
            b"X-Forwarded-Proto: %s" % protocol,
            b"X-Forwarded-Port: %d" % port,
        ]
        if not self.header(b"x-amzn-trace-id"):
            added.append(b"X-Amzn-Trace-Id: %s" % self.trace_id())
        return added

    def trace_id(self) -> bytes:
        """The client's trace id, or a new one in X-Ray's format."""
        sent = self.header(b"x-amzn-trace-id")
        if sent:
            return sent
        trace = b"Root=1-%08x-%s" % (int(self.started), secrets.token_hex(12).encode())
        self.headers.append((b"X-Amzn-Trace-Id", trace))
        return trace

    def _version(self) -> bytes:
        version: Any = self._parser.get_http_version()
        return b"1.0" if version == "1.0" else b"1.1"
