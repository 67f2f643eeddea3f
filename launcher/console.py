"""One stream of prefixed log lines from many processes."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TextIO

COLOURS = ("36", "33", "35", "32", "34", "31")
OWN_NAME = "up"
WIDTH = 8


class Console:
    """Write `name | line`, in colour only where a person watches a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.began = time.monotonic()
        self.colours = stream.isatty() and "NO_COLOR" not in os.environ
        self._known: dict[str, str] = {}

    def line(self, name: str, text: str) -> None:
        prefix = f"{name:>{WIDTH}} |"
        if self.colours:
            colour = self._known.setdefault(name, COLOURS[len(self._known) % len(COLOURS)])
            prefix = f"\x1b[{colour}m{prefix}\x1b[0m"
        # A closed terminal must not keep the supervisor from stopping its children.
        with contextlib.suppress(OSError, ValueError):
            print(prefix, text, file=self.stream, flush=True)

    def say(self, text: str) -> None:
        """Say something in the launcher's own name."""
        self.line(OWN_NAME, text)

    def elapsed(self) -> float:
        """Return seconds since the launcher began."""
        return time.monotonic() - self.began
