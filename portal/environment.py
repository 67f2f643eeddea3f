"""Reads settings from the environment: plain values, secrets from files, and service URLs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


class BadSetting(Exception):
    """An environment variable has a value the portal cannot start with."""


def secret(name: str, default: str = "") -> str:
    """Return the variable `name`, or the contents of the file that `name`_FILE points to."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        return Path(path).read_text(encoding="utf-8").strip()
    return os.environ.get(name, default)


def listed(name: str, default: str = "") -> list[str]:
    """Return a comma-separated variable as a list without blanks."""
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def database(url: str) -> dict[str, Any]:
    """Return Django's connection settings for a PostgreSQL URL.

    Accepts `postgresql://user:password@host:port/name` and, for Unix sockets,
    `postgresql:///name?host=/directory&user=name`.

    :raises BadSetting: if the URL is not one of PostgreSQL.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise BadSetting("DATABASE_URL must look like postgresql://user:password@host:5432/name")
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or query.pop("user", "")),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or query.pop("port", "")),
        "OPTIONS": query,
    }


def celery_broker(url: str) -> str:
    """Return the broker URL in Celery's spelling: `unix://` becomes `redis+socket://`."""
    if not url.startswith("unix://"):
        return url
    parts = urlsplit(url)
    number = dict(parse_qsl(parts.query)).get("db", "0")
    return f"redis+socket://{parts.path}?virtual_host={number}"
