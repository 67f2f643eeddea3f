"""A local web server that plays news sources: good, dead, huge, slow or hostile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Handler = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class FeedServer:
    """Answers each path with its handler and remembers what was asked."""

    handlers: dict[str, Handler] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def serve(self, path: str, body: bytes | str = b"", status: int = 200, **headers: str) -> str:
        """Answer ``path`` with this; returns its URL."""
        raw = body.encode() if isinstance(body, str) else body

        def answer(request: BaseHTTPRequestHandler) -> None:
            request.send_response(status)
            for name, value in headers.items():
                request.send_header(name.replace("_", "-"), value)
            request.send_header("Content-Length", str(len(raw)))
            request.end_headers()
            request.wfile.write(raw)

        return self.handle(path, answer)

    def handle(self, path: str, handler: Handler) -> str:
        self.handlers[path] = handler
        return self.url + path

    def asked(self, path: str) -> int:
        """Return how often ``path`` was asked for, whatever its query."""
        return sum(asked.split("?")[0] == path for asked, _ in self.requests)


def run(feeds: FeedServer) -> ThreadingHTTPServer:
    """Start answering on a loopback port."""

    class _Request(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            feeds.requests.append((self.path, dict(self.headers)))
            handler = feeds.handlers.get(self.path.split("?")[0])
            if handler is None:
                self.send_error(404)
                return
            try:
                handler(self)
            except ConnectionError:
                self.close_connection = True  # the reader had enough

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), _Request)
    server.daemon_threads = True
    feeds.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


def rss(*items: str) -> str:
    """Return an RSS document with these items."""
    channel = "<title>Wire</title><link>https://wire.example/</link>" + "".join(items)
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{channel}</channel></rss>'


def item(
    title: str, link: str, summary: str = "", published: str = "Sat, 21 Nov 2026 10:00:00 GMT"
) -> str:
    """Return one RSS item."""
    return (
        f"<item><title>{title}</title><link>{link}</link>"
        f"<description>{summary}</description><pubDate>{published}</pubDate></item>"
    )
