"""`python -m sandbox serve | status | fault | kill | traffic`."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

DEFAULT_PORT = 4566
DEFAULT_ALB_PORT = 8080


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A local AWS account.")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="run the account until SIGTERM")
    serve.add_argument("--home", type=Path, required=True, help="directory for its state")
    serve.add_argument("--alb-port", type=int, default=DEFAULT_ALB_PORT, help="staging is next")
    serve.add_argument("--traffic", type=float, default=15.0, help="requests a second; 0 for none")
    status = commands.add_parser("status", help="show what runs")
    fault = commands.add_parser("fault", help="switch a fault on, or all off")
    fault.add_argument("operation", help="such as UpdateService; 'clear' ends all faults")
    fault.add_argument("--kind", default="error", help="error, access-denied, hang or late-apply")
    fault.add_argument("--error", default="ThrottlingException")
    fault.add_argument("--rate", type=float, default=1.0, help="share of the calls, 0 to 1")
    fault.add_argument("--count", type=int, default=None, help="end after so many hits")
    kill = commands.add_parser("kill", help="SIGKILL a task")
    kill.add_argument("task", help="task id")
    traffic = commands.add_parser("traffic", help="change the request rate")
    traffic.add_argument("rate", type=float)
    for command in (serve, status, fault, kill, traffic):
        command.add_argument("--port", type=int, default=DEFAULT_PORT, help="the gateway's port")
    return parser


def main() -> int:
    """Run one command; the exit status is 1 when the sandbox refuses or does not answer."""
    arguments = _parser().parse_args()
    if arguments.command == "serve":
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
        # Starts and stops of moto and aiohttp are of no interest to whoever reads this log.
        for noisy in ("werkzeug", "aiohttp", "botocore", "asyncio"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        asyncio.run(_serve(arguments))
        # All is closed. Python would still wait for moto's thread, which may import for seconds.
        logging.shutdown()
        os._exit(0)
    try:
        answer = _ask(arguments)
    except urllib.error.URLError as error:
        detail = (
            error.read().decode() if isinstance(error, urllib.error.HTTPError) else error.reason
        )
        sys.stderr.write(f"{detail}\n")
        return 1
    sys.stdout.write(json.dumps(answer, indent=2) + "\n")
    return 0


async def _serve(arguments: argparse.Namespace) -> None:
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
    await stop.wait()
    await sandbox.stop()


def _ask(arguments: argparse.Namespace) -> Any:
    if arguments.command == "status":
        return _request(arguments.port, "GET", "status")
    if arguments.command == "kill":
        return _request(arguments.port, "POST", f"tasks/{arguments.task}/kill", {})
    if arguments.command == "traffic":
        return _request(arguments.port, "POST", "traffic", {"rate": arguments.rate})
    if arguments.operation == "clear":
        return _request(arguments.port, "DELETE", "faults")
    names = ("operation", "kind", "error", "rate", "count")
    return _request(arguments.port, "POST", "faults", {n: getattr(arguments, n) for n in names})


def _request(port: int, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    url = f"http://127.0.0.1:{port}/_sandbox/{path}"
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
        return json.load(response)


if __name__ == "__main__":
    raise SystemExit(main())
