"""Questions that a server answers once it is ready."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path

ANSWER_WITHIN = 5.0  # seconds


async def http_ready(host: str, port: int, path: str) -> bool:
    """Return whether `GET path` answers with a status below 500."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            reader, writer = await asyncio.open_connection(host, port)
            with contextlib.closing(writer):
                writer.write(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
                status = (await reader.readline()).split()
    except (OSError, TimeoutError):
        return False
    return len(status) > 1 and int(status[1]) < 500


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


def free_port(*, run: int = 1) -> int:
    """Return a loopback port that was free a moment ago, with `run - 1` free ones behind it."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            first = int(probe.getsockname()[1])
        if all(port_is_free("127.0.0.1", port) for port in range(first, first + run)):
            return first
