"""Questions that a server answers once it is ready."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path

from launcher.processes import LINUX

ANSWER_WITHIN = 5.0  # seconds


async def http_ready(host: str, port: int, path: str) -> bool:
    """Return whether `GET path` answers with a status below 500."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            reader, writer = await asyncio.open_connection(host, port)
            with contextlib.closing(writer):
                writer.write(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
                status = (await reader.readline()).split()
        return len(status) > 1 and int(status[1]) < 500
    except (OSError, TimeoutError, ValueError):  # ValueError: what answers does not speak HTTP
        return False


async def valkey_ready(path: Path) -> bool:
    """Return whether Valkey answers PING; it says LOADING while it reads its log."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            reader, writer = await asyncio.open_unix_connection(path)
            with contextlib.closing(writer):
                writer.write(b"PING\r\n")
                return (await reader.readline()).startswith(b"+PONG")
    except (OSError, TimeoutError):
        return False


def port_is_free(host: str, port: int) -> bool:
    """Return whether nobody listens at the address.

    SO_REUSEADDR ignores connections in TIME_WAIT. SO_REUSEPORT is left out on purpose: the web
    server sets it, and two checkouts would share one port without either noticing.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


class ReservedPorts:
    """`run` loopback ports in a row, from `first` on, kept for a server that starts later.

    They are bound and nobody listens: on Linux a server that sets SO_REUSEADDR can listen there,
    while nobody who asks for any free port is given one of them. Elsewhere a bound port would be
    in the server's way, so they are only known to have been free a moment ago.
    """

    def __init__(self, *, run: int = 1) -> None:
        self._sockets: list[socket.socket] = []
        while not self._take(run):
            self.close()
        self.first: int = self._sockets[0].getsockname()[1]
        if not LINUX:
            self.close()

    def close(self) -> None:
        while self._sockets:
            self._sockets.pop().close()

    def _take(self, run: int) -> bool:
        port = 0
        for _ in range(run):
            taken = socket.socket()
            self._sockets.append(taken)
            try:
                taken.bind(("127.0.0.1", port))
            except (OSError, OverflowError):  # somebody's, or beyond the last port
                return False
            # Not before: the same address could be reserved twice.
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            port = taken.getsockname()[1] + 1
        return True
