"""What ``python -m news_api`` can do once Django is set up."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from argparse import Namespace
from types import FrameType

from django.core.management import call_command

from news_api import ingest, keys, settings
from news_api.locks import Lock, waiting_for
from news_api.metrics import Reporter, aggregator
from news_api.models import ApiKey

_log = logging.getLogger(__name__)


def migrate(arguments: Namespace) -> int:
    """Bring the database up to date; tasks that start together take turns.

    ``--check`` changes nothing, and exits with 1 if there is something to do or to write down.
    """
    if arguments.check:
        call_command("makemigrations", "news_api", check_changes=True, verbosity=0)
        call_command("migrate", check_unapplied=True, verbosity=0)
        return 0
    with waiting_for(Lock.MIGRATE):
        call_command("migrate", interactive=False, verbosity=0)
    _log.info("the database is up to date")
    return 0


def run_ingest(arguments: Namespace) -> int:
    """Read the sources once, or for ever; SIGTERM and Ctrl-C stop it between two sources."""
    stopping = _stop_on_signals()
    dimensions = {
        "Service": "news-ingest",
        "Environment": settings.NEWS_ENVIRONMENT,
        "Version": settings.APP_VERSION,
    }
    reporter = Reporter(aggregator, dimensions, always=("IngestRounds", "SourceFailures"))
    reporter.start()
    try:
        if arguments.forever:
            ingest.run_forever(every=arguments.every, stopping=stopping)
        else:
            ingest.run_once(stopping=stopping)
    finally:
        reporter.stop()
    return 0


def create_key(arguments: Namespace) -> int:
    """Print a new key, the only time it is ever shown."""
    _say(keys.create(name=arguments.name, per_minute=arguments.per_minute))
    return 0


def revoke_key(arguments: Namespace) -> int:
    """End a key by its prefix."""
    try:
        keys.revoke(prefix=arguments.prefix)
    except keys.UnknownKey as error:
        sys.stderr.write(f"{error.args[0]}\n")
        return 1
    return 0


def list_keys(_: Namespace) -> int:
    """Print prefix, state and name of every key."""
    for key in ApiKey.objects.order_by("created_at"):
        state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "in use"
        _say(f"{key.prefix}  {state:18}  {key.name}")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _stop_on_signals() -> threading.Event:
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, stop)
    return stopping
