"""Conditions of listener rules as predicates over requests.

After the user guide of Application Load Balancers, "Condition types for listener rules": paths
are compared with their case, host names, header values and query strings without; `*` stands for
any number of characters, `?` for one. All conditions of a rule must hold, one value of each.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from sandbox.alb.message import Request

# The request, and the address its connection came from.
Predicate = Callable[[Request, str], bool]
Condition = Mapping[str, Any]
_EVERYTHING = "*"


def compiled(conditions: Iterable[Condition]) -> tuple[Predicate, ...]:
    """One predicate for each condition (botocore's shape) that not every request fulfils."""
    return tuple(
        _KINDS[condition["Field"]](condition) for condition in conditions if not _always(condition)
    )


def values(condition: Condition) -> Sequence[Any]:
    """The values of a condition, wherever its kind keeps them."""
    found: Sequence[Any] = condition.get(CONFIGURATIONS[condition["Field"]], condition)["Values"]
    return found


CONFIGURATIONS = {
    "host-header": "HostHeaderConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "path-pattern": "PathPatternConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}


def _always(condition: Condition) -> bool:
    return condition["Field"] == "path-pattern" and _EVERYTHING in values(condition)


def _pattern(text: str, *, folded: bool) -> re.Pattern[str]:
    # fnmatch knows character classes as well, which load balancers do not.
    return re.compile(fnmatch.translate(text.replace("[", "[[]")), re.IGNORECASE if folded else 0)


def _patterns(texts: Iterable[str], *, folded: bool = True) -> list[re.Pattern[str]]:
    return [_pattern(text, folded=folded) for text in texts]


def _host(condition: Condition) -> Predicate:
    patterns = _patterns(values(condition))

    def fits(request: Request, _: str) -> bool:
        host = request.host
        return any(pattern.match(host) for pattern in patterns)

    return fits


def _path(condition: Condition) -> Predicate:
    patterns = _patterns(values(condition), folded=False)

    def fits(request: Request, _: str) -> bool:
        path = target(request)[0]
        return any(pattern.match(path) for pattern in patterns)

    return fits


def _header(condition: Condition) -> Predicate:
    name = condition["HttpHeaderConfig"]["HttpHeaderName"].lower().encode()
    patterns = _patterns(values(condition))

    def fits(request: Request, _: str) -> bool:
        sent = [v.decode("latin-1") for key, v in request.headers if key.lower() == name]
        return any(pattern.match(value) for value in sent for pattern in patterns)

    return fits


def _method(condition: Condition) -> Predicate:
    methods = {value.encode() for value in values(condition)}
    return lambda request, _: request.method in methods


def _query(condition: Condition) -> Predicate:
    wanted = [
        (_escaped(pair["Key"]) if "Key" in pair else None, _escaped(pair["Value"]))
        for pair in values(condition)
    ]

    def fits(request: Request, _: str) -> bool:
        sent = [piece.partition("=") for piece in target(request)[1].split("&") if piece]
        return any(
            (key is None or key.match(name)) and value.match(said)
            for key, value in wanted
            for name, _, said in sent
        )

    return fits


def _escaped(text: str) -> re.Pattern[str]:
    """In query strings, and only there, a backslash takes `*` and `?` their meaning."""
    plain = re.sub(r"\\([*?\\])|\[", lambda m: f"[{m.group(1) or m.group()}]", text)
    return re.compile(fnmatch.translate(plain), re.IGNORECASE)


def _source(condition: Condition) -> Predicate:
    networks = [ip_network(value, strict=False) for value in values(condition)]
    return lambda _, client: any(ip_address(client) in network for network in networks)


_KINDS: Mapping[str, Callable[[Condition], Predicate]] = {
    "host-header": _host,
    "http-header": _header,
    "http-request-method": _method,
    "path-pattern": _path,
    "query-string": _query,
    "source-ip": _source,
}


def target(request: Request) -> tuple[str, str]:
    """Path and query of a request as they were sent, without decoding."""
    url = request.url.decode("latin-1")
    if not url.startswith("/"):
        parts = urlsplit(url)
        return parts.path, parts.query
    path, _, query = url.partition("?")
    return path, query
