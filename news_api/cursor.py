"""Opaque page cursors: where the last page ended, sealed so that nobody can forge one. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
_POSITION = struct.Struct(">qq")
_SEAL_BYTES = 12


class BadCursor(ValueError):
    """The cursor was not made by us, or belongs to another query."""


@dataclass(frozen=True)
class Position:
    """The last article of a page: when it was published (UTC, microseconds) and its id."""

    published_at: datetime
    article_id: int


def encode(position: Position, *, query: str, secret: str) -> str:
    """Return a URL-safe cursor of 38 characters, valid only for this ``query`` and ``secret``."""
    microseconds = (position.published_at - EPOCH) // MICROSECOND
    payload = _POSITION.pack(microseconds, position.article_id)
    return _to_text(payload + _seal(payload, query, secret))


def decode(cursor: str, *, query: str, secret: str) -> Position:
    """Return the position that ``encode`` was given. Raises BadCursor for anything else."""
    raw = _from_text(cursor)
    payload, seal = raw[: _POSITION.size], raw[_POSITION.size :]
    if not hmac.compare_digest(seal, _seal(payload, query, secret)):
        raise BadCursor("The cursor is not valid for this query; start again without a cursor.")
    microseconds, article_id = _POSITION.unpack(payload)
    return Position(EPOCH + microseconds * MICROSECOND, article_id)


def _seal(payload: bytes, query: str, secret: str) -> bytes:
    key = b"news-cursor:" + secret.encode()
    return hmac.digest(key, payload + query.encode(), hashlib.sha256)[:_SEAL_BYTES]


def _to_text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _from_text(cursor: str) -> bytes:
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadCursor("The cursor is not one of ours.") from error
