"""One JSON object per line, with the request it belongs to."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from ui.request_context import current

_EXTRA = ("request_id", "user", "method", "path", "status", "duration_ms")


class RequestContextFilter(logging.Filter):
    """Adds `request_id` and `user` of the request being served."""

    def filter(self, record: logging.LogRecord) -> bool:
        context = current.get()
        record.request_id = context.request_id
        record.user = context.user
        return True


class JsonFormatter(logging.Formatter):
    """Formats a record as `{"at", "level", "logger", "message", …}`; `at` is UTC."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name in _EXTRA:
            if (value := getattr(record, name, "")) != "":
                line[name] = value
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)
