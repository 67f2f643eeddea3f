"""What a listener rule does with a request: forward it, answer it, or redirect it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sandbox.alb.conditions import target
from sandbox.alb.message import Request


@dataclass(frozen=True)
class Forward:
    """Send it to one of the target groups, by weight."""

    shares: tuple[tuple[str, float], ...]
    total: float

    @classmethod
    def by(cls, weights: Mapping[str, float]) -> Forward:
        """From target groups' weights; those of weight 0 get nothing."""
        shares = tuple((group, float(weight)) for group, weight in weights.items() if weight > 0)
        return cls(shares, sum(weight for _, weight in shares))

    def choose(self) -> str | None:
        """A target group, or None when none has weight.

        As on AWS, a chosen group without targets means 503 even if another group has some.
        """
        point = random.random() * self.total
        for group, weight in self.shares:
            point -= weight
            if point < 0:
                return group
        return None


@dataclass(frozen=True)
class FixedResponse:
    """Answer it in the load balancer's own name."""

    status: int
    content_type: str = "text/plain"
    body: bytes = b""


class Place(Protocol):
    """Where a listener answers, and by which protocol AWS knows it."""

    port: int
    protocol: str


@dataclass(frozen=True)
class Redirect:
    """Send the client elsewhere.

    The parts may hold `#{protocol}`, `#{host}`, `#{port}`, `#{path}` without its leading slash
    and `#{query}` without its question mark.
    """

    status: int
    protocol: str = "#{protocol}"
    host: str = "#{host}"
    port: str = "#{port}"
    path: str = "/#{path}"
    query: str = "#{query}"

    def location(self, request: Request, at: Place) -> bytes:
        """The URL for a request that came to a listener."""
        path, query = target(request)
        known = {
            "#{protocol}": at.protocol,
            "#{host}": request.host,
            "#{port}": str(at.port),
            "#{path}": path.removeprefix("/"),
            "#{query}": query,
        }
        protocol = _filled(self.protocol, known).lower()
        place = f"{protocol}://{_filled(self.host, known)}:{_filled(self.port, known)}"
        asked = _filled(self.query, known)
        return f"{place}{_filled(self.path, known)}{asked and f'?{asked}'}".encode("latin-1")


Action = Forward | FixedResponse | Redirect


def action(row: Mapping[str, Any]) -> Action:
    """From the control API: `forward` {group: weight}, `fixed` or `redirect` with their fields."""
    if "forward" in row:
        return Forward.by(row["forward"])
    if "redirect" in row:
        return Redirect(**row["redirect"])
    fixed = row["fixed"]
    return FixedResponse(fixed["status"], fixed["content_type"], fixed["body"].encode())


def _filled(template: str, known: Mapping[str, str]) -> str:
    for name, value in known.items():
        template = template.replace(name, value)
    return template
