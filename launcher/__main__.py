"""The launcher's command line: up, run, install, test, version."""

from __future__ import annotations

import argparse
import sys
import tomllib

from launcher.console import Console
from launcher.embedded import DidNotStart
from launcher.frontend import FrontEndTrouble, install_front_end
from launcher.lock import AlreadyRunning
from launcher.paths import CHECKOUT, Home, UnsafeDirectory
from launcher.postgres import PostgresTrouble
from launcher.postgres_binaries import NoPostgres
from launcher.run import run
from launcher.tests import run_tests
from launcher.up import Options, PortTaken, up
from launcher.valkey import NoValkey

TROUBLE = (DidNotStart, FrontEndTrouble, NoPostgres, NoValkey, PortTaken, PostgresTrouble)


def main(arguments: list[str]) -> int:
    """Return the exit code; expected trouble is one line on standard error and code 1."""
    if arguments[:1] == ["test"]:  # everything after it belongs to pytest
        return run_tests(arguments[1:])
    options = parser().parse_args(arguments)
    try:
        return int(options.act(options))
    except AlreadyRunning as running:
        print(running)
        return 0
    except (*TROUBLE, UnsafeDirectory) as trouble:
        print(trouble, file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    commands = argparse.ArgumentParser(prog="bin/up", description="Quarterdeck on one machine.")
    actions = commands.add_subparsers(required=True, metavar="ACTION")
    starting = actions.add_parser("up", prog="bin/up", help="run everything until Ctrl-C")
    starting.add_argument("--port", type=port, default=8000, help="of the portal (default 8000)")
    starting.add_argument("--host", default="127.0.0.1", help="address (default 127.0.0.1)")
    starting.add_argument("--install", action="store_true", help=argparse.SUPPRESS)
    starting.set_defaults(act=_up)
    running = actions.add_parser("run", help="run a command with embedded PostgreSQL and Valkey")
    running.add_argument("command", nargs="+", metavar="-- COMMAND")
    running.set_defaults(act=lambda options: run(options.command, Home.from_environment()))
    installing = actions.add_parser("install", help="install front end and static files")
    installing.set_defaults(act=_install)
    actions.add_parser("test", help="run the tests; what follows goes to pytest")
    asking = actions.add_parser("version", help="print the version")
    asking.set_defaults(act=_version)
    return commands


def port(text: str) -> int:
    """Return a TCP port a user may listen on. Raises ArgumentTypeError."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 1 to 65535")
    return int(text)


def _up(options: argparse.Namespace) -> int:
    home = Home.from_environment()
    if options.install:  # bin/up does both in one process, which saves the second start of Python
        install_front_end(CHECKOUT, home)
    where = Options(host=options.host, port=options.port)
    return up(where, home, Console(sys.stdout))


def _install(_: argparse.Namespace) -> int:
    install_front_end(CHECKOUT, Home.from_environment())
    return 0


def _version(_: argparse.Namespace) -> int:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    print(f"Quarterdeck {project['project']['version']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
