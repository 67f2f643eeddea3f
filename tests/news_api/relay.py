"""A TCP relay in front of a real server: cutting it is an outage that hurts nobody else."""

from __future__ import annotations

import contextlib
import socket
import threading

from launcher.probes import ReservedPorts


class Relay:
    """Forwards a loopback port to another address until cut; mend() opens the same port again."""

    def __init__(self, family: int, upstream: str | tuple[str, int]) -> None:
        self._family = family
        self._upstream = upstream
        self._sockets: set[socket.socket] = set()
        self._pumps: list[threading.Thread] = []
        # Nobody else shall be given the port while the relay is cut.
        self._reserved = ReservedPorts()
        self.port = self._reserved.first
        self.mend()

    def cut(self) -> None:
        """Refuse new connections and break those that are open."""
        _shut(self._listener)
        # Only when it lets nobody in any more are all connections known.
        self._acceptor.join(timeout=5)
        for one in self._sockets:
            _shut(one)
        for pump in self._pumps:
            pump.join(timeout=5)
        for one in [self._listener, *self._sockets]:
            one.close()
        self._sockets.clear()
        self._pumps.clear()

    def mend(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._acceptor = _spawn(self._accept, self._listener)

    def close(self) -> None:
        """Cut for good."""
        self.cut()
        self._reserved.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.socket(self._family, socket.SOCK_STREAM)
            server.connect(self._upstream)
            self._sockets |= {client, server}
            self._pumps.append(_spawn(self._pump, client, server))
            self._pumps.append(_spawn(self._pump, server, client))

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


def _spawn(target: object, *arguments: socket.socket) -> threading.Thread:
    thread = threading.Thread(target=target, args=arguments, daemon=True)
    thread.start()
    return thread


def _shut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
