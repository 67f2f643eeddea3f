"""Who is calling, and may they call again so soon."""

from __future__ import annotations

import ipaddress
from typing import Any

from django.http import HttpRequest
from ninja.security import APIKeyHeader

from news_api import cache, keys, limits, settings
from news_api.models import ApiKey
from news_api.problems import Problem

MAX_KEY_LENGTH = 200
CHALLENGE = {"WWW-Authenticate": 'ApiKey realm="news"'}


class Gate(APIKeyHeader):
    """Lets a request through and charges it to its key, or to its address without a key.

    Raises Problem 401 for a bad or missing key and 429 past the limit.
    """

    param_name = "X-API-Key"

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        caller = self._caller(key)
        if caller is not None:
            allowed = caller.per_minute
            allowed = settings.NEWS_KEY_PER_MINUTE if allowed is None else allowed
            _charge(request, f"key:{caller.prefix}", allowed)
            return caller.prefix
        # Guesses are charged like any anonymous request, so guessing is slow.
        _charge(request, f"ip:{client_address(request)}", settings.NEWS_ANONYMOUS_PER_MINUTE)
        if key is not None:
            raise Problem(401, "This API key is unknown or has been revoked.", CHALLENGE)
        if settings.NEWS_REQUIRE_API_KEY:
            raise Problem(401, "An API key is required in the X-API-Key header.", CHALLENGE)
        return "anonymous"

    def _caller(self, key: str | None) -> ApiKey | None:
        return keys.find(key) if key and len(key) <= MAX_KEY_LENGTH else None


def _charge(request: HttpRequest, caller: str, per_minute: int) -> None:
    server = cache.valkey()
    if server is None or per_minute == 0:
        return
    verdict = limits.spend(server, caller, limits.Quota(per_minute))
    if verdict is None:
        return
    request.rate_limit = verdict.headers()  # type: ignore[attr-defined]
    if not verdict.granted:
        raise Problem(429, f"Too many requests; try again in {verdict.retry_after} s.")


def client_address(request: HttpRequest) -> str:
    """Return the caller's address: the X-Forwarded-For entry that our outermost proxy wrote.

    Entries further left were sent by the caller and prove nothing. IPv6 callers count per /64,
    the smallest network that one customer gets.
    """
    hops = settings.NEWS_PROXY_HOPS
    entries = request.headers.get("X-Forwarded-For", "").split(",")
    seen = entries[-hops].strip() if 0 < hops <= len(entries) else ""
    try:
        address = ipaddress.ip_address(seen or request.META["REMOTE_ADDR"])
    except ValueError:
        return str(request.META["REMOTE_ADDR"])
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
