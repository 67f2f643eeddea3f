"""What it takes to run one server or worker."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from launcher.processes import Identity, die_with_parent


@dataclass(frozen=True)
class Service:
    """A long-running command: how to start it, how to tell it is ready, how to stop it.

    `grace` is how many seconds it may take to stop before it is killed. A `store` is stopped
    after everything else. `before` runs before each start.
    """

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    ready: Callable[[], Awaitable[bool]] | None = None
    cwd: Path = Path("/")
    identity: Identity | None = None
    stop: signal.Signals = signal.SIGTERM
    grace: float = 5.5
    store: bool = False
    before: Callable[[], None] = field(default=lambda: None)

    def popen_arguments(self) -> dict[str, Any]:
        """Return keyword arguments for Popen: own session, tied to us, perhaps another user."""
        # A parent's death is announced by the same signal as an orderly stop.
        common: dict[str, Any] = {
            "cwd": self.cwd,
            "env": dict(self.env),
            "start_new_session": True,
            "preexec_fn": die_with_parent(self.stop),
        }
        return common | (self.identity.popen_arguments() if self.identity else {})
