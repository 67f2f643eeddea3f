"""How this sandbox was started."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Start-up settings. Times are real seconds, except where a deployment minute is named."""

    home: Path
    port: int
    alb_port: int
    traffic: float = 15.0
    seconds_per_minute: float = 6.0
    visibility_seconds: float = 1.0
    scale_up_seconds: float = 60.0
    health_interval: float = 1.0
    drain_seconds: float = 10.0
    task_command: str = ""
    clock_rate: float = 1.0
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_environment(cls, *, home: Path, port: int, alb_port: int, traffic: float) -> Settings:
        """Read what the command line does not say from the environment."""
        number = _number
        return cls(
            home=home,
            port=port,
            alb_port=alb_port,
            traffic=traffic,
            seconds_per_minute=number("SANDBOX_SECONDS_PER_MINUTE", 6.0),
            visibility_seconds=number("SANDBOX_VISIBILITY_SECONDS", 1.0),
            scale_up_seconds=number("SANDBOX_SCALE_UP_SECONDS", 60.0),
            health_interval=number("SANDBOX_HEALTH_INTERVAL", 1.0),
            drain_seconds=number("SANDBOX_DRAIN_SECONDS", 10.0),
            clock_rate=number("SANDBOX_CLOCK_RATE", 1.0),
            task_command=os.environ.get("SANDBOX_TASK_COMMAND", ""),
            environment={
                name: os.environ[name]
                for name in ("NEWS_DATABASE_URL", "NEWS_REDIS_URL")
                if name in os.environ
            },
        )

    @property
    def gateway_url(self) -> str:
        """Where the gateway listens."""
        return f"http://127.0.0.1:{self.port}"

    def minutes(self, count: float) -> float:
        """Real seconds that `count` deployment minutes take."""
        return count * self.seconds_per_minute


def _number(name: str, default: float) -> float:
    return float(os.environ.get(name, default))
