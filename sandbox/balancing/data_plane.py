"""The load balancer's process as the control plane speaks with it, over its Unix socket."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp

from sandbox.measurements import AlbReport

log = logging.getLogger("sandbox.elbv2")

PUSH_WITHIN = 3.0


class PortTaken(aiohttp.ClientError):
    """A listener cannot have the port that it must answer on."""


class DataPlane:
    """One connection to the process; what is asked of it raises aiohttp.ClientError."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._version = 0
        self._session: aiohttp.ClientSession | None = None

    def open(self) -> None:
        """Make ready to connect."""
        # No limit: every target that drains holds a connection, and pushes must not wait for them.
        connector = aiohttp.UnixConnector(str(self._socket), limit=0)
        self._session = aiohttp.ClientSession("http://alb", connector=connector)

    async def close(self) -> None:
        """Disconnect."""
        if self._session is not None:
            await self._session.close()

    @property
    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise aiohttp.ClientError("not connected")
        return self._session

    async def push(self, routing: Callable[[], Mapping[str, Any]]) -> dict[str, int]:
        """Send the whole routing state; where each listener answers.

        Versions let the process ignore a late one. One that has just started listens a moment
        after its socket appeared, so this tries again for a few seconds, and asks `routing` for
        the state each time: of two that try, the later version must not be the older state.
        """
        give_up = asyncio.get_running_loop().time() + PUSH_WITHIN
        while True:
            try:
                return await self._push(routing)
            except aiohttp.ClientConnectorError:
                if asyncio.get_running_loop().time() >= give_up:
                    raise
                await asyncio.sleep(0.05)

    async def _push(self, routing: Callable[[], Mapping[str, Any]]) -> dict[str, int]:
        self._version += 1
        body = {"version": self._version, **routing()}
        async with self._open.put("/routing", json=body) as response:
            if response.status == HTTPStatus.CONFLICT:
                raise PortTaken(await response.text())
            response.raise_for_status()
            ports: dict[str, int] = (await response.json())["ports"]
            return ports

    async def drained(self, group: str, host: str, port: int, timeout: float) -> None:
        """Wait up to `timeout` seconds until a removed target's last request is answered."""
        query = {"group": group, "host": host, "port": str(port), "timeout": str(timeout)}
        # The session's own time-out would end the wait for a long deregistration delay.
        patient = aiohttp.ClientTimeout(total=timeout + PUSH_WITHIN)
        async with self._open.get("/drained", params=query, timeout=patient) as response:
            await response.read()

    async def minutes(self, since: int) -> AlbReport:
        """What it measured since epoch minute `since`."""
        async with self._open.get("/minutes", params={"since": str(since)}) as response:
            report: AlbReport = await response.json()
            return report
