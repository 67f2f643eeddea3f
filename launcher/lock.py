"""One launcher for each home: a lock that the kernel lets go when its holder dies."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from types import TracebackType

from launcher.paths import Home


class AlreadyRunning(Exception):
    """Another launcher holds the home. `url` is empty while it has not said where it listens."""

    def __init__(self, pid: int, url: str) -> None:
        self.pid = pid
        self.url = url
        place = f"at {url} " if url else ""
        super().__init__(f"Quarterdeck is already running {place}(process {pid}).")


class Lock:
    """Hold the home of one checkout. Entering raises AlreadyRunning."""

    def __init__(self, home: Home) -> None:
        self.path: Path = home.root / "lock"

    def __enter__(self) -> Lock:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Children do not inherit the descriptor, so the lock ends with this process alone.
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise self._holder() from None
        self.announce("")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def announce(self, url: str) -> None:
        """Write down where the holder listens, for whoever comes next."""
        note = json.dumps({"pid": os.getpid(), "url": url}).encode()
        os.pwrite(self._descriptor, note.ljust(256), 0)

    def _holder(self) -> AlreadyRunning:
        try:
            note = json.loads(self.path.read_text())
        except ValueError:  # it has the lock but has not written yet
            return AlreadyRunning(0, "")
        return AlreadyRunning(note["pid"], note["url"])
