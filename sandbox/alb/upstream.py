"""A connection to a target. Response bytes pass through; only their framing is watched."""

from __future__ import annotations

import asyncio
from typing import Protocol, cast

import httptools

from sandbox.alb.routing import Target


class Exchange(Protocol):
    """Whoever waits for the response of one request."""

    def response_started(self) -> None:
        """The first bytes of the response are here."""

    def response_bytes(self, data: bytes) -> None:
        """More of the response."""

    def response_done(self, status: int, *, keep: bool) -> None:
        """The response ended; with `keep` false the client's connection must close too."""

    def response_lost(self, upstream: Upstream) -> None:
        """The target closed its connection before it sent a byte."""

    def pause(self) -> None:
        """Hold back what the client sends."""

    def resume(self) -> None:
        """Go on."""


class Upstream(asyncio.Protocol):
    """One connection, used for one request after another and idle in between."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.reused = False
        self._exchange: Exchange | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: connected."""
        self._transport = cast(asyncio.Transport, transport)

    def alive(self) -> bool:
        """Whether a request may be written."""
        return self._transport is not None and not self._transport.is_closing()

    def send(self, exchange: Exchange, request: bytes, *, head: bool) -> None:
        """Send one request; `head` because a HEAD response announces a body it does not have."""
        self._exchange = exchange
        self._head = head
        self._begin_response()
        if self._transport is not None:
            self._transport.write(request)

    def _begin_response(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._answered = False
        self._complete = False
        self._framed = False
        self._keep_alive = False

    def on_header(self, name: bytes, _: bytes) -> None:
        """httptools: a response header."""
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._framed = True

    def on_headers_complete(self) -> None:
        """httptools: the header block ended."""
        if self._head:
            self._ended()

    def on_message_complete(self) -> None:
        """httptools: a response ended."""
        self._ended()

    def _ended(self) -> None:
        """Interim responses (1xx) do not count. The parser knows about keep-alive only now."""
        if self._parser.get_status_code() >= 200:
            self._complete = True
            self._keep_alive = bool(self._parser.should_keep_alive())

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes of the response."""
        exchange = self._exchange
        if exchange is None:
            self.close()
            return
        if not self._answered:
            self._answered = True
            exchange.response_started()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._complete, self._keep_alive = True, False
        exchange.response_bytes(data)
        if self._complete:
            self._finish(exchange)

    def _finish(self, exchange: Exchange) -> None:
        self._exchange = None
        # After HEAD the parser still waits for a body, so that connection cannot be reused.
        keep = self._keep_alive
        if keep and not self._head and not self.target.draining:
            self.reused = True
            self.target.idle.append(self)
        else:
            self.close()
        exchange.response_done(int(self._parser.get_status_code() or 0), keep=keep)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the target or we closed the connection."""
        if self in self.target.idle:
            self.target.idle.remove(self)
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        if not self._answered:
            exchange.response_lost(self)
            return
        if self._framed:
            self.target.eject()
        exchange.response_done(int(self._parser.get_status_code() or 0), keep=False)

    def abandon(self) -> None:
        """Nobody waits for this response any more."""
        self._exchange = None
        self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def pause_reading(self) -> None:
        """The client reads slower than the target writes."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """The client caught up."""
        if self._transport is not None:
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        """asyncio: the target reads slower than the client writes."""
        if self._exchange is not None:
            self._exchange.pause()

    def resume_writing(self) -> None:
        """asyncio: the target caught up."""
        if self._exchange is not None:
            self._exchange.resume()
