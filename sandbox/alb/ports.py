"""The ports the listeners answer on, opened and closed as the routing says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sandbox.alb.listener import ClientConnection, Listener
from sandbox.alb.routing import Router

BACKLOG = 1024
MakeListener = Callable[[str, int], Listener]


class Ports:
    """Every listener by name with its open port."""

    def __init__(self, router: Router, host: str, make: MakeListener) -> None:
        self.listeners: dict[str, Listener] = {}
        self._router = router
        self._host = host
        self._make = make
        self._servers: dict[str, asyncio.Server] = {}
        self._one_at_a_time = asyncio.Lock()

    async def follow(self) -> dict[str, int]:
        """Open and close ports until they are those of the routing; where each listener answers.

        A listener may ask for a port; one that may answer elsewhere gets a free one when that is
        taken. Raises OSError when a port cannot be had.
        """
        async with self._one_at_a_time:
            for name in self._servers.keys() - self._router.snapshot.ports.keys():
                self._close(name)
            for name, row in self._router.snapshot.ports.items():
                if name not in self._servers:
                    await self._open(name, row["port"], elsewhere=row["elsewhere"])
                listener = self.listeners[name]
                listener.protocol, listener.idle_seconds = row["protocol"], row["idle_seconds"]
            return {name: listener.port for name, listener in self.listeners.items()}

    async def _open(self, name: str, port: int, *, elsewhere: bool) -> None:
        listener = self._make(name, port)
        try:
            server = await self._listen(listener, port)
        except OSError:
            if not elsewhere:
                raise
            server = await self._listen(listener, 0)
        listener.port = server.sockets[0].getsockname()[1]
        self._servers[name], self.listeners[name] = server, listener

    async def _listen(self, listener: Listener, port: int) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(
            lambda: ClientConnection(listener), self._host, port, backlog=BACKLOG
        )

    def _close(self, name: str) -> None:
        """Take no new connection; those there are end with the request they are in."""
        self._servers.pop(name).close()
        for connection in list(self.listeners.pop(name).connections):
            connection.end()

    def close(self) -> None:
        """Take no new connection anywhere."""
        for server in self._servers.values():
            server.close()

    def active_connections(self) -> dict[str, int]:
        """How many clients each load balancer has now."""
        counts: dict[str, int] = {}
        for listener in self.listeners.values():
            known = counts.get(listener.load_balancer, 0)
            counts[listener.load_balancer] = known + len(listener.connections)
        return counts
