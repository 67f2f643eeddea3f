"""`python -m sandbox serve | status | faults | fault | clear | scenario | kill | traffic | …`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import urllib.error
from pathlib import Path

from sandbox import commands
from sandbox.commands import Control

# Starting a process forks, and OpenBLAS ends its threads at a fork: a product of matrices that
# another thread is just computing would wait for them for ever. One thread has nobody to wait for.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

DEFAULT_PORT = 4566
DEFAULT_ALB_PORT = 8080


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A local AWS account.")
    subcommands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = subcommands.add_parser("serve", help="run the account until SIGTERM")
    serve.add_argument("--home", type=Path, required=True, help="directory for its state")
    serve.add_argument("--alb-port", type=int, default=DEFAULT_ALB_PORT, help="staging is next")
    serve.add_argument("--traffic", type=float, default=15.0, help="requests a second; 0 for none")
    _port(serve)
    for leaf in commands.add_to(subcommands):
        _port(leaf)
    return parser


def _port(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="the gateway's port")


def main() -> int:
    """Run one command; the exit status is 1 when the sandbox refuses or does not answer."""
    arguments = _parser().parse_args()
    if arguments.command == "serve":
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
        # Starts and stops of moto and aiohttp are of no interest to whoever reads this log.
        for noisy in ("werkzeug", "aiohttp", "botocore", "asyncio"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        status: int = asyncio.run(_serve(arguments))
        # All is closed. Python would still wait for moto's thread, which may import for seconds.
        logging.shutdown()
        os._exit(status)
    # Commands that only read files take no port.
    port = getattr(arguments, "port", DEFAULT_PORT)
    try:
        status = arguments.run(Control(port), arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read this has read enough; Python would flush once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except urllib.error.HTTPError as error:
        sys.stderr.write(f"{error.read().decode()}\n")
        return 1
    except urllib.error.URLError as error:
        sys.stderr.write(f"No sandbox answers on port {port}: {error.reason}\n")
        sys.stderr.write("bin/up says which port its sandbox has; name it with --port.\n")
        return 1
    return status


async def _serve(arguments: argparse.Namespace) -> int:
    """Serve until a signal comes; 1 when the account cannot be opened.

    Whoever watches this process starts it again, which a sandbox that never opens would not be.
    """
    from sandbox.composition import Sandbox
    from sandbox.settings import Settings

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    settings = Settings.from_environment(
        home=arguments.home.resolve(),
        port=arguments.port,
        alb_port=arguments.alb_port,
        traffic=arguments.traffic,
    )
    sandbox = Sandbox(settings)
    await sandbox.start()
    sys.stdout.write(f"ready {settings.gateway_url}\n")
    sys.stdout.flush()
    ends = {asyncio.create_task(each.wait()) for each in (stop, sandbox.broken)}
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    await sandbox.stop()
    return int(sandbox.broken.is_set())


if __name__ == "__main__":
    raise SystemExit(main())
