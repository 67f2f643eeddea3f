"""One spelling per article: the canonical form of a URL. Pure."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

MAX_LENGTH = 2000
TRACKING = frozenset({"fbclid", "gclid", "dclid", "msclkid", "igshid", "mc_cid", "mc_eid"})
DEFAULT_PORTS = {"http": 80, "https": 443}
PATH_SAFE = "%/:@!$&'()*+,;=~-._"

_CONTROL = re.compile(r"[\x00-\x20\x7f\\]")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?")
_IP_V6 = re.compile(r"[0-9a-f:.]+")


class BadUrl(ValueError):
    """The text is not an http(s) URL that we would hand to a reader."""


def canonical_url(text: str) -> str:
    """Return the canonical spelling of ``text``; canonicalising it again changes nothing.

    The host is lower case and ASCII, default ports, fragments and tracking parameters
    (``utm_*``, ``fbclid``…) are gone, the query is sorted. Raises BadUrl for other schemes,
    user names, control characters, and more than ``MAX_LENGTH`` characters.
    """
    text = text.strip()
    if len(text) > MAX_LENGTH or _CONTROL.search(text):
        raise BadUrl("not a URL: too long, or with spaces or control characters inside")
    try:
        parts = urlsplit(text)
        url = urlunsplit((_scheme(parts), _authority(parts), _path(parts), _query(parts), ""))
    except BadUrl:
        raise
    except ValueError as error:
        raise BadUrl(f"not a URL: {error}") from error
    if len(url) > MAX_LENGTH:
        raise BadUrl("not a URL: too long")
    return url


def _scheme(parts: SplitResult) -> str:
    if parts.scheme not in DEFAULT_PORTS:
        raise BadUrl("only http and https URLs are accepted")
    return parts.scheme


def _authority(parts: SplitResult) -> str:
    if "@" in parts.netloc:
        raise BadUrl("a URL with a user name is not accepted")
    host = _host(parts.hostname or "")
    port = parts.port
    return host if port in {None, DEFAULT_PORTS[parts.scheme]} else f"{host}:{port}"


def _host(host: str) -> str:
    if ":" in host:
        if not _IP_V6.fullmatch(host):
            raise BadUrl("the host is not an address")
        return f"[{host}]"
    name = host.rstrip(".")
    name = name if name.isascii() else name.encode("idna").decode("ascii").rstrip(".")
    if not _HOST_NAME.fullmatch(name):
        raise BadUrl("the host is not a name")
    return name


def _path(parts: SplitResult) -> str:
    return quote(_BAD_ESCAPE.sub("%25", parts.path), safe=PATH_SAFE) or "/"


def _query(parts: SplitResult) -> str:
    pairs = parse_qsl(parts.query, keep_blank_values=True, errors="surrogateescape")
    kept = [(name, value) for name, value in pairs if not _is_tracking(name)]
    return urlencode(sorted(kept), quote_via=quote, errors="surrogateescape")


def _is_tracking(name: str) -> bool:
    return name.lower().startswith("utm_") or name.lower() in TRACKING
