"""The command line: ``python -m news_api migrate | serve | ingest | apikey | healthcheck``."""

from __future__ import annotations

import argparse
import http.client
import os
import sys
from typing import NoReturn

from news_api.environment import BadConfiguration, natural

COMMANDS_WITH_DJANGO = {
    "migrate": "migrate",
    "ingest": "run_ingest",
    "apikey create": "create_key",
    "apikey revoke": "revoke_key",
    "apikey list": "list_keys",
}


def main() -> int:
    """Run one command and return its exit status."""
    arguments = _parser().parse_args()
    if arguments.command == "serve":
        _serve(arguments.bind)
    if arguments.command == "healthcheck":
        return _healthcheck(arguments.address)
    try:
        return _with_django(arguments)
    except BadConfiguration as error:
        sys.exit(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="news_api")
    commands = parser.add_subparsers(dest="command", required=True)
    migrate = commands.add_parser("migrate", help="bring the database up to date")
    migrate.add_argument("--check", action="store_true", help="only tell whether it is")
    serve = commands.add_parser("serve", help="serve the API")
    serve.add_argument("--bind", default="127.0.0.1:8000", metavar="HOST:PORT")
    ingest = commands.add_parser("ingest", help="read the sources")
    ingest.add_argument("--forever", action="store_true", help="round after round")
    ingest.add_argument("--every", type=_seconds, default=60.0, metavar="SECONDS")
    health = commands.add_parser("healthcheck", help="exit 0 if a server answers /healthz")
    health.add_argument("--address", default="127.0.0.1:8000", metavar="HOST:PORT")
    _add_apikey(commands.add_parser("apikey", help="manage API keys"))
    return parser


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < 86_400:
        raise argparse.ArgumentTypeError("must be more than 0 and less than a day")
    return seconds


def _requests(text: str) -> int:
    try:
        return natural("it", text)
    except BadConfiguration as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _add_apikey(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    create = actions.add_parser("create", help="print a new key, once")
    create.add_argument("name", help="whose key it is")
    create.add_argument("--per-minute", type=_requests, help="its own rate limit; 0 = none")
    revoke = actions.add_parser("revoke", help="end a key at once")
    revoke.add_argument("prefix", help="the second part of the key")
    actions.add_parser("list", help="show all keys by prefix")


def _serve(bind: str) -> NoReturn:
    """Become gunicorn. Its master process never imports Django, which keeps a task small."""
    module = "python:news_api.gunicorn_config"
    sys.stdout.flush()
    os.execv(  # noqa: S606 - no shell is wanted
        sys.executable, [sys.executable, "-m", "gunicorn", "-c", module, "--bind", bind]
    )


def _healthcheck(address: str) -> int:
    connection = http.client.HTTPConnection(address, timeout=3)
    try:
        connection.request("GET", "/healthz")
        return 0 if connection.getresponse().status == 200 else 1
    except (OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"{address}: {error}\n")
        return 1
    finally:
        connection.close()


def _with_django(arguments: argparse.Namespace) -> int:
    # Set, not defaulted: the News API may be started from a process of the portal.
    os.environ["DJANGO_SETTINGS_MODULE"] = "news_api.settings"
    import django

    django.setup()
    from news_api import commands

    name = " ".join(filter(None, [arguments.command, getattr(arguments, "action", "")]))
    status: int = getattr(commands, COMMANDS_WITH_DJANGO[name])(arguments)
    return status


if __name__ == "__main__":
    sys.exit(main())
