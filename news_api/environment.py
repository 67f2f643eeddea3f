"""Read configuration from environment variables. Pure: text in, plain values out."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"", "0", "false", "no", "off"})


class BadConfiguration(ValueError):
    """An environment variable holds something that cannot be used."""


def boolean(name: str, text: str) -> bool:
    """Return what ``text`` says. Raises BadConfiguration for anything but a yes or a no."""
    word = text.strip().lower()
    if word not in TRUE | FALSE:
        raise BadConfiguration(f"{name} must be 0 or 1, not {text!r}")
    return word in TRUE


def natural(name: str, text: str) -> int:
    """Return ``text`` as a number of 0 or more. Raises BadConfiguration otherwise."""
    if not (text.isascii() and text.isdigit()):
        raise BadConfiguration(f"{name} must be a whole number of 0 or more, not {text!r}")
    return int(text)


def database(url: str) -> dict[str, Any]:
    """Turn a PostgreSQL URL into the NAME, USER, PASSWORD, HOST and PORT of Django's DATABASES.

    Both ``postgresql://user:password@host:port/name`` and
    ``postgresql:///name?host=/socket/directory&user=postgres`` are understood; other query
    parameters (``sslmode``…) are returned under OPTIONS. Raises BadConfiguration.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise BadConfiguration("a database URL looks like postgresql://user:password@host/name")
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return {
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": query.pop("user", unquote(parts.username or "")),
        "PASSWORD": query.pop("password", unquote(parts.password or "")),
        "HOST": query.pop("host", unquote(parts.hostname or "")),
        "PORT": query.pop("port", str(parts.port or "")),
        "OPTIONS": query,
    }
