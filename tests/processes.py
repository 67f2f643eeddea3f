"""Looking at processes that may end between two looks."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import psutil


def lives(process: psutil.Process) -> bool:
    """Return whether it runs still: a zombie does not, nor one that ended while we looked."""
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def gone(processes: Iterable[psutil.Process]) -> bool:
    """Return whether none of the processes lives."""
    return not any(lives(process) for process in processes)


def command_line(process: psutil.Process) -> list[str]:
    """Return the words it was started with; none when it has ended."""
    with suppress(psutil.NoSuchProcess):  # a zombie's is one of these, too
        return process.cmdline()
    return []
