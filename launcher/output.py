"""Start a process with its output on a pipe of ours.

asyncio's own pipes will not do: `wait()` on such a process returns only when the pipe is closed,
and a worker that outlives its killed server holds it open.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import BinaryIO

from launcher.processes import Ledger
from launcher.service import Service

LONGEST_LINE = 1 << 20  # bytes


class Output:
    """The reading end of a pipe, line by line."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe

    def close(self) -> None:
        self._pipe.close()

    async def lines(self) -> AsyncIterator[str]:
        """Yield decoded lines until every writer is gone; a line beyond 1 MiB is left out."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=LONGEST_LINE)
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), self._pipe
        )
        try:
            while line := await _next_line(reader):
                yield line.decode(errors="replace").rstrip()
        finally:
            transport.close()


async def _next_line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()
    except ValueError:
        return b"(a line longer than 1 MiB was left out)\n"


async def start(
    service: Service, ledger: Ledger, *, separate_errors: bool = False
) -> tuple[asyncio.subprocess.Process, list[Output]]:
    """Start a service's command and write it down.

    Standard error joins standard output, or is a second output.
    """
    pipes = [os.pipe() for _ in range(2 if separate_errors else 1)]
    outputs = [Output(os.fdopen(reading, "rb", 0)) for reading, _ in pipes]
    try:
        process = await asyncio.create_subprocess_exec(
            *service.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=pipes[0][1],
            stderr=pipes[-1][1],
            **service.popen_arguments(),
        )
    except BaseException:
        for output in outputs:
            output.close()
        raise
    finally:
        for _, writing in pipes:
            os.close(writing)
    ledger.record(service.name, process.pid)
    return process, outputs
