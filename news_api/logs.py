"""JSON logs on standard output, one object per line, each with its request's id."""

from __future__ import annotations

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="")


class JsonFormatter(logging.Formatter):
    """Writes time, level, logger, message, request id, and what ``extra={"fields": …}`` holds."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id.get():
            line["request_id"] = request_id.get()
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configuration(level: str) -> dict[str, Any]:
    """Return the logging configuration that Django, gunicorn and the commands share."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {"()": "news_api.logs.JsonFormatter"},
            "bare": {"format": "%(message)s"},
        },
        "handlers": {
            "stdout": _stdout("json"),
            # CloudWatch reads embedded metrics only where the whole line is the JSON object.
            "emf": _stdout("bare"),
        },
        "root": {"handlers": ["stdout"], "level": "WARNING"},
        "loggers": {
            "news_api": {"level": level},
            "news_api.emf": {"handlers": ["emf"], "level": "INFO", "propagate": False},
            "gunicorn.error": {"handlers": ["stdout"], "level": "INFO", "propagate": False},
            # The middleware logs every request once, with its status.
            "django": {"level": "ERROR", "handlers": [], "propagate": True},
        },
    }


def _stdout(formatter: str) -> dict[str, str]:
    return {
        "class": "logging.StreamHandler",
        "stream": "ext://sys.stdout",
        "formatter": formatter,
    }
