"""Lets the News API's tasks lose their database and cache, at no cost while they have them.

The tasks are told a symbolic link in place of the Unix socket the sandbox was given. It leads to
that socket, and to a relay (`sandbox.alb.relay`) while the fault `dependency` is in force. A server
on a TCP port is always reached through its relay, as no link can lead there. What cannot be relayed
(TLS, whose host name a relay would change) is left alone; the fault is refused for it then.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlencode, urlsplit

from sandbox.severing import VARIABLE

DATABASE, CACHE = "database", "cache"
_VARIABLES = {DATABASE: "NEWS_DATABASE_URL", CACHE: "NEWS_REDIS_URL"}


@dataclass(frozen=True)
class Plan:
    """One relay: its name, the link it moves, and where it passes connections on to.

    `url` is what the tasks are told, `upstream` is a path, or host and port.
    """

    name: str
    url: str
    link: str
    upstream: Mapping[str, Any]

    def argument(self) -> dict[str, Any]:
        """What `python -m sandbox.alb --relay` takes, as JSON."""
        return {"name": self.name, "link": self.link, **self.upstream}


def plans(environment: Mapping[str, str], sockets: Path) -> list[Plan]:
    """The relays for the dependencies that `environment` names; their sockets in `sockets`."""
    makers = {DATABASE: _database, CACHE: _cache}
    found = (
        makers[name](urlsplit(environment[variable]), sockets)
        for name, variable in _VARIABLES.items()
        if environment.get(variable)
    )
    return [plan for plan in found if plan is not None]


def environment(given: Mapping[str, str], chosen: list[Plan]) -> dict[str, str]:
    """`given` with the links in place of what they lead to, and the links by themselves."""
    told = {_VARIABLES[plan.name]: plan.url for plan in chosen}
    return {**given, **told, VARIABLE: os.pathsep.join(plan.link for plan in chosen)}


def _database(url: SplitResult, sockets: Path) -> Plan | None:
    """libpq names a Unix socket by its directory and its port."""
    query = {name: values[-1] for name, values in parse_qs(url.query).items()}
    if query.pop("sslmode", "disable") not in ("disable", "allow", "prefer"):
        return None
    host = query.pop("host", url.hostname or "localhost")
    port = int(query.pop("port", url.port or 5432))
    upstream: dict[str, Any] = (
        {"path": f"{host}/.s.PGSQL.{port}"} if host.startswith("/") else _tcp(host, port)
    )
    told = urlencode({**query, "host": str(sockets), "port": port}, safe="/")
    relayed = f"{url.scheme}://{_credentials(url)}{url.path}?{told}"
    return Plan(DATABASE, relayed, str(sockets / f".s.PGSQL.{port}"), upstream)


def _cache(url: SplitResult, sockets: Path) -> Plan | None:
    if url.scheme == "rediss":
        return None
    link = str(sockets / "cache")
    on_socket = url.scheme == "unix"
    server = _tcp(url.hostname or "localhost", url.port or 6379)
    in_query = parse_qs(url.query).get("db", ["0"])[-1]
    upstream = {"path": url.path} if on_socket else server
    number = in_query if on_socket else url.path.strip("/") or in_query
    return Plan(CACHE, f"unix://{_credentials(url)}{link}?db={number}", link, upstream)


def _tcp(host: str, port: int) -> dict[str, Any]:
    return {"host": host, "port": port}


def _credentials(url: SplitResult) -> str:
    return f"{url.netloc.rpartition('@')[0]}@" if "@" in url.netloc else ""
