"""A task whose requests cost a stated amount of CPU, charged as the News API's are."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from sandbox.fargate import charged

SECONDS = float(os.environ.get("BUSY_CPU_SECONDS", "0.002"))


def application(environ, start_response):
    if environ["PATH_INFO"] != "/healthz":
        until = time.thread_time() + SECONDS
        while time.thread_time() < until:
            pass
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", "2")])
    return [b"{}"]


class Handler(WSGIRequestHandler):
    def log_message(self, *_):
        return


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def __init__(self, descriptor):
        super().__init__(("127.0.0.1", 0), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = socket.socket(fileno=descriptor)
        self.server_name, self.server_port = self.socket.getsockname()
        self.setup_environ()
        self.set_app(charged(application))


def main():
    if sys.argv[1] == "none":
        signal.pause()
    server = Server(int(sys.argv[1]))
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(0.05)


if __name__ == "__main__":
    main()
