"""A client for Valkey, Redis and ElastiCache that speaks the few commands we need.

The redis package costs each process 20 MiB and a quarter of a second of start-up, mostly for its
cluster and asyncio halves. We send GET, SET, DEL, EVAL and PING, so this module speaks RESP itself.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

Reply: TypeAlias = "bytes | int | list[Reply] | None"

TIMEOUT_SECONDS = 0.25
REST_SECONDS = 1.0


class CacheUnavailable(Exception):
    """The server cannot be reached, or answered with an error."""


@dataclass(frozen=True)
class Address:
    """Where the server is: a Unix socket path, or host and port, with an optional login."""

    path: str = ""
    host: str = "localhost"
    port: int = 6379
    database: int = 0
    username: str = ""
    password: str = ""
    tls: bool = False
    timeout: float = TIMEOUT_SECONDS


def parse_address(url: str) -> Address:
    """Read ``redis://``, ``rediss://`` (TLS) or ``unix://``. Raises ValueError.

    ``?db=`` and ``?socket_timeout=`` (seconds) mean what they mean to the redis package.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("a cache URL starts with redis://, rediss:// or unix://")
    on_socket = parts.scheme == "unix"
    options = dict(parse_qsl(parts.query))
    in_query = options.get("db", "0")
    database = in_query if on_socket else parts.path.strip("/") or in_query
    return Address(
        path=unquote(parts.path) if on_socket else "",
        host=parts.hostname or "localhost",
        port=parts.port or 6379,
        database=int(database),
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=parts.scheme == "rediss",
        timeout=float(options.get("socket_timeout", TIMEOUT_SECONDS)),
    )


class Connection:
    """One socket. Any error leaves it unusable: close it and open another."""

    def __init__(self, address: Address) -> None:
        self._socket = _open(address)
        self._reader: BinaryIO = self._socket.makefile("rb")
        try:
            self._log_in(address)
        except BaseException:
            self.close()
            raise

    def execute(self, *words: str | bytes) -> Reply:
        """Send one command, return its reply. Raises OSError and CacheUnavailable."""
        self._socket.sendall(_command(words))
        return _read_reply(self._reader)

    def close(self) -> None:
        self._reader.close()
        self._socket.close()

    def _log_in(self, address: Address) -> None:
        if address.password:
            names = (address.username, address.password)
            self.execute("AUTH", *(name for name in names if name))
        if address.database:
            self.execute("SELECT", str(address.database))


class Valkey:
    """One connection per thread, opened when first used; after a failure it rests for a second.

    The rest keeps an unreachable server from costing every request a connect time-out.
    """

    def __init__(self, url: str) -> None:
        self._address = parse_address(url)
        self._local = threading.local()
        self._resting_until = 0.0

    def execute(self, *words: str | bytes) -> Reply:
        """Send one command, return its reply. Raises CacheUnavailable."""
        if time.monotonic() < self._resting_until:
            raise CacheUnavailable("the cache failed a moment ago")
        try:
            return self._execute(words)
        except OSError as error:
            self._disconnect()
            self._resting_until = time.monotonic() + REST_SECONDS
            raise CacheUnavailable(str(error)) from error

    def close(self) -> None:
        """Close this thread's connection."""
        self._disconnect()

    def _execute(self, words: tuple[str | bytes, ...]) -> Reply:
        kept: Connection | None = getattr(self._local, "connection", None)
        if kept is not None:
            try:
                return kept.execute(*words)
            except ConnectionError:
                # The server was restarted since we last spoke: that is not an outage.
                self._disconnect()
        self._local.connection = Connection(self._address)
        return self._local.connection.execute(*words)  # type: ignore[no-any-return]

    def _disconnect(self) -> None:
        connection: Connection | None = self._local.__dict__.pop("connection", None)
        if connection is not None:
            connection.close()


def _open(address: Address) -> socket.socket:
    if address.path:
        return _open_unix(address.path, address.timeout)
    connection = socket.create_connection((address.host, address.port), address.timeout)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not address.tls:
        return connection
    return ssl.create_default_context().wrap_socket(connection, server_hostname=address.host)


def _open_unix(path: str, timeout: float) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


def _command(words: tuple[str | bytes, ...]) -> bytes:
    encoded = [word.encode() if isinstance(word, str) else word for word in words]
    parts = [b"*%d\r\n" % len(encoded)]
    parts += [b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded]
    return b"".join(parts)


def _read_reply(reader: BinaryIO) -> Reply:
    line = reader.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionError("the cache closed the connection")
    kind, rest = line[:1], line[1:-2]
    if kind == b"-":
        raise CacheUnavailable(rest.decode(errors="replace"))
    if kind == b"+":
        return rest
    return _read_sized(reader, kind, int(rest))


def _read_sized(reader: BinaryIO, kind: bytes, size: int) -> Reply:
    if kind == b":":
        return size
    if size < 0:
        return None
    if kind == b"*":
        return [_read_reply(reader) for _ in range(size)]
    if kind != b"$":
        raise CacheUnavailable(f"the cache speaks another protocol: {kind!r}")
    body = reader.read(size + 2)
    if len(body) != size + 2:
        raise ConnectionError("the cache closed the connection")
    return body[:-2]
