"""The sandbox's own command, as a shell uses it."""

from __future__ import annotations

import http.server
import socketserver
import subprocess
import sys
import threading

import pytest

from tests.sandbox.account import ROOT


def test_a_reader_who_has_read_enough_sees_no_traceback(account):
    command = [sys.executable, "-m", "sandbox", "operations", f"--port={account.port}"]

    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        complaint = process.stderr.read()

    assert complaint == b""


class Silent(socketserver.BaseRequestHandler):
    """Hears the request and closes the connection, as a killed sandbox does."""

    def handle(self):
        self.request.recv(65536)


class Forgetful(http.server.BaseHTTPRequestHandler):
    """Accepts a scenario and knows of none afterwards, as one that was started anew."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"run": null}')

    def log_message(self, *_):
        """Nobody reads it."""


@pytest.mark.parametrize(
    ("handler", "told"),
    [
        (Silent, "No sandbox answers on port"),
        (Forgetful, "The sandbox was started anew, which ended the scenario."),
    ],
)
def test_a_sandbox_killed_while_it_is_asked_is_told_in_words(handler, told):
    with socketserver.TCPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        port = str(server.server_address[1])
        command = [sys.executable, "-m", "sandbox", "scenario", "run", "surge", "--port", port]

        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

        server.shutdown()
    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr
