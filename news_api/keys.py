"""API keys: made once, shown once, kept only as a digest."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from django.utils import timezone

from news_api.models import ApiKey

PREFIX_BYTES = 5
SECRET_BYTES = 32
NOBODY = "0" * 64


class UnknownKey(LookupError):
    """There is no such key, or it has been revoked already."""


def create(*, name: str, per_minute: int | None = None) -> str:
    """Make a key and return it; it cannot be shown again. 256 random bits need no slow hash."""
    prefix = secrets.token_hex(PREFIX_BYTES)
    key = f"news_{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"
    ApiKey.objects.create(prefix=prefix, digest=_digest(key), name=name, per_minute=per_minute)
    return key


def revoke(*, prefix: str) -> None:
    """End a key at once. Raises UnknownKey."""
    current = ApiKey.objects.filter(prefix=prefix, revoked_at=None)
    if not current.update(revoked_at=timezone.now()):
        raise UnknownKey(f"no key in use has the prefix {prefix!r}")


def find(key: str) -> ApiKey | None:
    """Return the key in use that ``key`` opens, or None. Takes as long for wrong as for right."""
    prefix = key.split("_")[1] if key.count("_") >= 2 else ""
    found = ApiKey.objects.filter(prefix=prefix, revoked_at=None).first()
    matches = hmac.compare_digest(found.digest if found else NOBODY, _digest(key))
    return found if matches else None


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
