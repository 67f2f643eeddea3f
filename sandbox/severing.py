"""How a task loses its database or cache: the connections it has open are broken.

Tasks connect through a symbolic link that the sandbox owns (`sandbox.relays`). It leads straight to
the server, so that it costs nothing, until a fault makes it lead to the relay; from then on no
connection made before may live on.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import time
from pathlib import Path

from sandbox.chaos.shared import LOOK_SECONDS

# Tasks find the links here, with os.pathsep between them.
VARIABLE = "SANDBOX_LINKS"


class Links:
    """The links of one task. `look` is called before every request."""

    def __init__(self, links: list[Path]) -> None:
        self._targets = {link: _target(link) for link in links}
        self._look_at = 0.0

    @classmethod
    def of_this_task(cls) -> Links:
        """Read from the environment."""
        return cls([Path(link) for link in os.environ.get(VARIABLE, "").split(os.pathsep) if link])

    def look(self) -> None:
        """Break what leads past a link that leads to its relay now; looks ten times a second."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + LOOK_SECONDS
        for link, before in self._targets.items():
            now = _target(link)
            if now != before:
                self._targets[link] = now
                # Relays listen beside their links. What still leads through one may live on.
                if Path(now).parent == link.parent:
                    sever(before)


def _target(link: Path) -> str:
    with contextlib.suppress(OSError):
        return str(link.readlink())
    return ""


def sever(path: str) -> int:
    """Shut down every connection of this process to the Unix socket `path`; how many there were."""
    found = 0
    # Both Linux and macOS list a process's descriptors here.
    for entry in list(Path("/dev/fd").iterdir()):
        with contextlib.suppress(OSError):
            found += _shut_down(int(entry.name), path)
    return found


def _shut_down(descriptor: int, path: str) -> bool:
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return False
    with socket.socket(fileno=os.dup(descriptor)) as connection:
        if connection.family != socket.AF_UNIX or connection.getpeername() != path:
            return False
        connection.shutdown(socket.SHUT_RDWR)
    return True
