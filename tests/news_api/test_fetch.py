from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import httpx
import pytest

from news_api.sources import fetch as fetching
from news_api.sources.article import SourceFailed
from news_api.sources.fetch import fetch, make_client
from tests.news_api.feeds import FeedServer


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with make_client() as client:
        yield client


def test_a_body_comes_with_what_is_needed_to_ask_again(
    feeds: FeedServer, client: httpx.Client
) -> None:
    url = feeds.serve("/feed", b"news", ETag='"1"', Last_Modified="Sat", Content_Type="text/xml")

    fetched = fetch(client, url)

    assert (fetched.body, fetched.etag, fetched.last_modified) == (b"news", '"1"', "Sat")
    assert fetched.content_type == "text/xml"


def test_an_unchanged_source_sends_no_body(feeds: FeedServer, client: httpx.Client) -> None:
    url = feeds.serve("/feed", status=304)

    fetched = fetch(client, url, {"If-None-Match": '"1"'})

    assert fetched.unchanged
    assert feeds.requests[0][1]["If-None-Match"] == '"1"'


def test_a_compressed_body_is_unpacked(feeds: FeedServer, client: httpx.Client) -> None:
    url = feeds.serve("/feed", gzip.compress(b"news"), Content_Encoding="gzip")

    assert fetch(client, url).body == b"news"


@pytest.mark.parametrize("status", [404, 500, 401])
def test_an_error_status_is_told(feeds: FeedServer, client: httpx.Client, status: int) -> None:
    url = feeds.serve("/feed", status=status)

    with pytest.raises(SourceFailed, match=f"HTTP {status}"):
        fetch(client, url)


def test_a_huge_body_is_given_up_before_it_has_all_arrived(
    feeds: FeedServer, client: httpx.Client
) -> None:
    sent: list[int] = []

    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        for _ in range(1000):
            request.wfile.write(b"x" * 65536)
            sent.append(65536)

    url = feeds.handle("/feed", endless)

    with pytest.raises(SourceFailed, match="more than 2 MiB"):
        fetch(client, url)
    assert sum(sent) < 1000 * 65536


def test_a_small_body_that_unpacks_to_a_huge_one_is_refused(
    feeds: FeedServer, client: httpx.Client
) -> None:
    bomb = gzip.compress(b"\x00" * (fetching.MAX_BYTES * 20))
    url = feeds.serve("/feed", bomb, Content_Encoding="gzip")

    with pytest.raises(SourceFailed, match="more than 2 MiB"):
        fetch(client, url)


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_a_body_that_cannot_be_unpacked_is_refused(
    feeds: FeedServer, client: httpx.Client, encoding: str
) -> None:
    url = feeds.serve("/feed", b"not packed", Content_Encoding=encoding)

    with pytest.raises(SourceFailed, match="compress"):
        fetch(client, url)


def test_a_source_that_trickles_is_given_up(
    feeds: FeedServer, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "DEADLINE_SECONDS", 0.2)

    def trickle(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while True:  # until the reader hangs up
            request.wfile.write(b"x")
            time.sleep(0.02)

    with pytest.raises(SourceFailed, match="took more than"):
        fetch(client, feeds.handle("/feed", trickle))


def test_a_silent_source_times_out(feeds: FeedServer) -> None:
    over = threading.Event()
    url = feeds.handle("/feed", lambda _: over.wait())

    with httpx.Client(timeout=0.1) as impatient, pytest.raises(SourceFailed, match="in time"):
        fetch(impatient, url)
    over.set()


def test_a_redirect_within_the_source_is_followed(feeds: FeedServer, client: httpx.Client) -> None:
    feeds.serve("/new", b"news")
    url = feeds.serve("/old", status=301, Location="/new")

    assert fetch(client, url).body == b"news"


def test_a_circle_of_redirects_ends(feeds: FeedServer, client: httpx.Client) -> None:
    url = feeds.serve("/feed", status=302, Location="/feed")

    with pytest.raises(SourceFailed, match="too often"):
        fetch(client, url)
    assert feeds.asked("/feed") == fetching.MAX_REDIRECTS + 1


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.170.2/v2/credentials",
        "http://localhost:1/",
        "http://[::1]:1/",
        "http://10.0.0.1/",
        "file:///etc/passwd",
    ],
)
def test_a_redirect_into_our_own_network_is_refused(
    feeds: FeedServer, client: httpx.Client, target: str
) -> None:
    url = feeds.serve("/feed", status=302, Location=target)

    with pytest.raises(SourceFailed, match=r"private address|not the web|could not be read"):
        fetch(client, url)


def test_a_key_is_not_sent_on_to_where_a_source_redirects(
    feeds: FeedServer, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_refuse_private", lambda url: None)
    feeds.serve("/other", b"news")
    elsewhere = feeds.url.replace("127.0.0.1", "localhost") + "/other"
    url = feeds.serve("/feed", status=302, Location=elsewhere)

    fetch(client, url, {"X-Api-Key": "secret"})

    sent = [headers.get("X-Api-Key") for _, headers in feeds.requests]
    assert sent == ["secret", None]


def test_a_failure_does_not_repeat_the_url_with_its_key(client: httpx.Client) -> None:
    with pytest.raises(SourceFailed) as failure:
        fetch(client, "http://127.0.0.1:1/search?api-key=secret")

    assert "secret" not in str(failure.value)
