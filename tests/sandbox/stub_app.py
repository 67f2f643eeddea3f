"""A tiny task for tests: serves on an inherited socket and acts out SANDBOX_FAULT."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sandbox.faults import Live

LIVE = Live.of_this_task()
VERSION = os.environ.get("APP_VERSION", "")
FAULT = json.loads(os.environ.get("SANDBOX_FAULT", "{}"))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        if self.path == "/healthz":
            return self._answer(503 if FAULT.get("unhealthy") else 200, {"status": "ok"})
        status = 500 if random.random() < FAULT.get("error_rate", 0) else LIVE.strike()
        if status is not None:
            return self._answer(status, {"error": "internal error", "version": VERSION})
        if self.path.startswith("/logged/"):
            line = {"path": self.path, "status": 200, "version": VERSION}
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
        if self.path.startswith("/slow/"):
            time.sleep(float(self.path.rsplit("/", 1)[-1]))
        if self.path == "/echo":
            return self._answer(200, dict(self.headers.items()))
        if self.path == "/broken":
            self.close_connection = True
            return self.connection.shutdown(socket.SHUT_RDWR)
        return self._answer(200, {"version": VERSION, "task": os.environ.get("SANDBOX_TASK")})

    def do_HEAD(self):
        self.do_GET()

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        self._answer(200, {"received": self.rfile.read(length).decode()})

    def _answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        return


class Server(ThreadingHTTPServer):
    def __init__(self, descriptor):
        super().__init__(("127.0.0.1", 0), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = socket.socket(fileno=descriptor)
        self.server_address = self.socket.getsockname()


def main():
    if sys.argv[1] == "none":
        signal.pause()
    server = Server(int(sys.argv[1]))

    def stop(*_):
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    server.serve_forever(0.05)


if __name__ == "__main__":
    main()
