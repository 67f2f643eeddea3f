"""Fetch a URL that we do not trust: bounded in time, size and redirects."""

from __future__ import annotations

import ipaddress
import socket
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from news_api.sources.article import SourceFailed

MAX_BYTES = 2 * 1024 * 1024
MAX_REDIRECTS = 3
DEADLINE_SECONDS = 20.0
TIMEOUT = httpx.Timeout(10.0, connect=5.0)
AGENT = {"User-Agent": "quarterdeck-news/1 (feed reader)", "Accept-Encoding": "gzip"}


@dataclass(frozen=True)
class Fetched:
    """A body of at most ``MAX_BYTES``, and the validators for asking again."""

    body: bytes
    unchanged: bool
    content_type: str
    etag: str
    last_modified: str


def make_client() -> httpx.Client:
    """Return the client for a round of fetching; it ignores proxies and .netrc of the machine."""
    return httpx.Client(timeout=TIMEOUT, headers=AGENT, trust_env=False, follow_redirects=False)


def fetch(client: httpx.Client, url: str, headers: Mapping[str, str] | None = None) -> Fetched:
    """Return what is at ``url``. Raises SourceFailed; its message never contains the URL or a key.

    ``headers`` (validators, API keys) go to the first host only, never to where it redirects.
    """
    deadline = time.monotonic() + DEADLINE_SECONDS
    try:
        return _follow(client, httpx.URL(url), dict(headers or {}), deadline)
    except httpx.TimeoutException as error:
        raise SourceFailed("the source did not answer in time") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SourceFailed(f"the source could not be read ({type(error).__name__})") from error


def _follow(
    client: httpx.Client, url: httpx.URL, headers: dict[str, str], deadline: float
) -> Fetched:
    for _ in range(MAX_REDIRECTS + 1):
        with client.stream("GET", url, headers=headers) as response:
            if not response.has_redirect_location:
                return _accept(response, deadline)
            target = url.join(response.headers["Location"])
        if (target.host, target.port, target.scheme) != (url.host, url.port, url.scheme):
            _refuse_private(target)
            headers = {}
        url = target
    raise SourceFailed("the source redirects too often")


def _refuse_private(url: httpx.URL) -> None:
    """Refuse to be sent to this machine, our network, or the credentials endpoint of ECS."""
    if url.scheme not in {"http", "https"}:
        raise SourceFailed("the source redirects to something that is not the web")
    try:
        found = socket.getaddrinfo(url.host, url.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise SourceFailed("the source redirects to an unknown host") from error
    if any(not ipaddress.ip_address(str(entry[4][0]).split("%")[0]).is_global for entry in found):
        raise SourceFailed("the source redirects to a private address")


def _accept(response: httpx.Response, deadline: float) -> Fetched:
    unchanged = response.status_code == 304
    if not unchanged and response.status_code != 200:
        raise SourceFailed(f"the source answered HTTP {response.status_code}")
    return Fetched(
        body=b"" if unchanged else _body(response, deadline),
        unchanged=unchanged,
        content_type=response.headers.get("Content-Type", ""),
        etag=response.headers.get("ETag", "")[:512],
        last_modified=response.headers.get("Last-Modified", "")[:128],
    )


def _body(response: httpx.Response, deadline: float) -> bytes:
    received = bytearray()
    # No chunk size: httpx would gather trickling bytes until it has one, past any deadline.
    for chunk in response.iter_raw():
        received += chunk
        if len(received) > MAX_BYTES:
            raise SourceFailed(f"the source sent more than {MAX_BYTES // 2**20} MiB")
        if time.monotonic() > deadline:
            raise SourceFailed(f"the source took more than {DEADLINE_SECONDS:.0f} s")
    return _unpack(bytes(received), response.headers.get("Content-Encoding", "identity"))


def _unpack(body: bytes, encoding: str) -> bytes:
    """Decompress at most ``MAX_BYTES``: a small body may hold a very large one."""
    if encoding.lower() in {"identity", ""}:
        return body
    if encoding.lower() not in {"gzip", "x-gzip"}:
        raise SourceFailed("the source used a compression that we did not ask for")
    try:
        unpacked = zlib.decompressobj(wbits=31).decompress(body, MAX_BYTES + 1)
    except zlib.error as error:
        raise SourceFailed("the source sent a damaged compressed body") from error
    if len(unpacked) > MAX_BYTES:
        raise SourceFailed(f"the source sent more than {MAX_BYTES // 2**20} MiB")
    return unpacked
