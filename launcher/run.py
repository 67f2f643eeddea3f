"""`launcher run -- CMD`: embedded PostgreSQL and Valkey around one command."""

from __future__ import annotations

import signal
import subprocess

from launcher.embedded import Embedded, embedded_urls
from launcher.environment import base_environment, missing
from launcher.lock import AlreadyRunning, Lock
from launcher.paths import Home
from launcher.postgres import Postgres
from launcher.processes import die_with_parent
from launcher.valkey import Valkey


def run(command: list[str], home: Home) -> int:
    """Run a command with the servers' addresses in its environment; return its exit code.

    Where `bin/up` runs already, its servers are used. A command ended by signal N gives 128 + N,
    as a shell does.
    """
    try:
        with Lock(home), Embedded(home) as embedded:
            return _call(command, base_environment(home) | missing(embedded.environment))
    except AlreadyRunning:
        stores = embedded_urls(Postgres(home), Valkey(home))
        return _call(command, base_environment(home) | missing(stores))


def _call(command: list[str], env: dict[str, str]) -> int:
    try:
        process = subprocess.Popen(
            command,
            env=env,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - there is one thread
        )
    except FileNotFoundError:
        print(f"{command[0]}: not found")
        return 127
    # A terminal sends Ctrl-C to the command as well; it decides, and the servers stop after it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    code = process.wait()
    return code if code >= 0 else 128 - code
