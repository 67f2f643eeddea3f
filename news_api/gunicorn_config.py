"""How gunicorn runs a News API task: one worker process, eight threads, drained on SIGTERM."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger

from news_api import settings
from news_api.metrics import Reporter, aggregator


class QuietLogger(Logger):  # type: ignore[misc]
    """Leaves the access log to our middleware, which knows the request id."""

    def access(self, *_: Any) -> None:
        return


logger_class = QuietLogger
wsgi_app = "news_api.wsgi:application"
proc_name = "news-api"
workers = 1
worker_class = "gthread"
threads = 8
timeout = 30
graceful_timeout = 10
# Longer than the 60 s idle time-out of a load balancer, which must be the one to hang up.
keepalive = 75
control_socket_disable = True
# Heartbeats in memory: a slow disk must not look like a hung worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - not a secret
logconfig_dict = settings.LOGGING

_reporters: list[Reporter] = []


def on_starting(server: Any) -> None:
    """Refuse to serve with cursors that anybody could forge."""
    if not settings.SECRET_KEY:
        sys.exit("NEWS_SECRET_KEY must be set: it signs cursors, the same in every task")


def post_worker_init(worker: Any) -> None:
    """Start reporting in the process that serves."""
    dimensions = {
        "Service": "news-api",
        "Environment": settings.NEWS_ENVIRONMENT,
        "Version": settings.APP_VERSION,
    }
    reporter = Reporter(aggregator, dimensions, always=("Requests", "Errors"))
    reporter.start()
    _reporters.append(reporter)


def worker_exit(server: Any, worker: Any) -> None:
    """Write the last, unfinished minute after the requests in flight were answered."""
    for reporter in _reporters:
        reporter.stop()
