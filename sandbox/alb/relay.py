"""A relay in front of the News API's database or cache, which can be made to fail.

Tasks connect to a symbolic link. Without a fault it leads straight to the server's Unix socket, and
the relay has nothing to do; with one it leads to the relay: `refuse` stops listening, `reset`
breaks every connection, `hang` moves no byte, `slow` holds each answer back. Connections that were
made through the relay stay with it when the fault ends, and pass untouched. It runs in the load
balancer's process, which has the event loop for it; the load balancer's traffic is not touched.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from sandbox.chaos.shared import LOOK_SECONDS, Watched

CONNECT_SECONDS = 10.0
# A whole fleet may connect at once, eight threads a task.
BACKLOG = 1024


@dataclass(frozen=True)
class Address:
    """A Unix socket's path, or a host and a port."""

    path: str = ""
    host: str = ""
    port: int = 0


class Side(asyncio.Protocol):
    """One end of a relayed connection; what it receives goes to its `peer`.

    `made` is told when this end is connected.
    """

    def __init__(self, relay: Relay, made: Callable[[Side], None] | None = None) -> None:
        self._relay = relay
        self._made = made
        self._late: deque[bytes | None] = deque()
        # uvloop may read once more after a pause in connection_made, before there is a peer.
        self._early: list[bytes] = []
        self.peer: Side | None = None
        self.transport: asyncio.Transport | None = None
        self.answers = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: connected; read only once there is somebody to pass it on to."""
        self.transport = cast(asyncio.Transport, transport)
        self._relay.sides.add(self)
        self.transport.pause_reading()
        if self._made is not None:
            self._made(self)

    @property
    def open(self) -> bool:
        """Whether bytes can still pass."""
        return self.transport is not None and not self.transport.is_closing()

    def join(self, peer: Side) -> None:
        """Begin to pass bytes to `peer`, who may have left meanwhile."""
        self.peer = peer
        for data in self._early:
            peer.write(data)
        self._early.clear()
        if not peer.open:
            self.close()
        elif self._relay.how != "hang":
            self.resume()

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes for the other side."""
        if self.peer is None:
            self._early.append(data)
        elif self.answers and (self._relay.how == "slow" or self._late):
            self._hold(data)
        else:
            self.peer.write(data)

    def write(self, data: bytes) -> None:
        """Send `data` to whoever is connected at this end."""
        if self.transport is not None:
            self.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: this end is gone; the other follows when it has got everything."""
        self._relay.sides.discard(self)
        if self._late:
            self._hold(None)
        elif self.peer is not None:
            self.peer.close()

    def pause_writing(self) -> None:
        """asyncio: this end reads slower than its peer sends."""
        if self.peer is not None:
            self.peer.pause()

    def resume_writing(self) -> None:
        """asyncio: this end caught up."""
        if self.peer is not None and self._relay.how != "hang":
            self.peer.resume()

    def resume(self) -> None:
        """Read again."""
        if self.transport is not None and self.open and self.peer is not None:
            self.transport.resume_reading()

    def pause(self) -> None:
        """Read nothing."""
        if self.transport is not None and self.open:
            self.transport.pause_reading()

    def close(self) -> None:
        """Close after what was written is sent."""
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        """Break the connection now."""
        if self.transport is not None:
            self.transport.abort()

    def _hold(self, data: bytes | None) -> None:
        self._late.append(data)
        asyncio.get_running_loop().call_later(self._relay.seconds, self._release)

    def _release(self) -> None:
        """Timers of the same moment may fire in any order; the queue keeps the bytes' order."""
        data = self._late.popleft()
        if self.peer is not None and data is not None:
            self.peer.write(data)
        elif self.peer is not None:
            self.peer.close()


class Relay:
    """Moves `link`, and passes each connection on, or fails as `how` says."""

    def __init__(self, name: str, link: Path, upstream: Address, watched: Watched) -> None:
        self.name = name
        self.how = ""
        self.seconds = 0.0
        self.sides: set[Side] = set()
        self._link = link
        self._path = link.with_name(f"{name}-relay")
        self._upstream = upstream
        self._watched = watched
        self._server: asyncio.Server | None = None
        self._jobs: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen, and let the link lead to the server."""
        await self._listen()
        self._lead()

    async def run(self) -> None:
        """Follow the faults until cancelled."""
        while True:
            row = self._watched.faults["relays"].get(self.name, {})
            self.seconds = row.get("seconds", 0.0)
            if row.get("how", "") != self.how:
                await self._become(row.get("how", ""))
            await asyncio.sleep(LOOK_SECONDS)

    async def _become(self, how: str) -> None:
        before, self.how = self.how, how
        self._lead()
        if how == "refuse":
            self._stop_listening()
        elif before == "refuse":
            await self._listen()
        for side in list(self.sides):
            if how in ("refuse", "reset"):
                side.abort()
            elif how == "hang":
                side.pause()
            elif before == "hang":
                side.resume()

    def _lead(self) -> None:
        """Let the link lead to the server, or to this relay, at once: nobody finds it missing."""
        direct = self._upstream.path if not self.how else ""
        draft = self._path.with_suffix(".link")
        draft.unlink(missing_ok=True)
        draft.symlink_to(direct or self._path)
        draft.replace(self._link)

    async def _listen(self) -> None:
        self._path.unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(
            self._accepted, str(self._path), backlog=BACKLOG
        )

    def _stop_listening(self) -> None:
        """The socket's file stays, and whoever connects is refused, as by a server that is down."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def _accepted(self) -> Side:
        return Side(self, lambda client: self._spawn(self._serve(client)))

    async def _serve(self, client: Side) -> None:
        if self.how == "reset":
            client.abort()
            return
        while self.how == "hang":
            await asyncio.sleep(LOOK_SECONDS)
        try:
            upstream = await asyncio.wait_for(self._connect(), CONNECT_SECONDS)
        except (OSError, TimeoutError):
            client.abort()
            return
        upstream.answers = True
        upstream.join(client)
        client.join(upstream)

    async def _connect(self) -> Side:
        loop = asyncio.get_running_loop()
        make: Callable[[], Side] = lambda: Side(self)  # noqa: E731
        to = self._upstream
        _, side = (
            await loop.create_unix_connection(make, to.path)
            if to.path
            else await loop.create_connection(make, to.host, to.port)
        )
        return side

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        job = asyncio.get_running_loop().create_task(work)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)

    def close(self) -> None:
        """Stop listening and break what is open."""
        self._stop_listening()
        for side in list(self.sides):
            side.abort()
        for path in (self._link, self._path):
            path.unlink(missing_ok=True)
