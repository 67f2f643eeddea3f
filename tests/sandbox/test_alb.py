"""The load balancer as a process of its own, in front of real servers."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.sandbox.account import LIMIT, ROOT, wait_until

STUB = str(Path(__file__).with_name("stub_app.py"))
BALANCER = "app/test/0123456789abcdef"
LISTENER = f"{BALANCER}/fedcba9876543210"
BLUE = "targetgroup/blue/0123456789abcdef"
GREEN = "targetgroup/green/0123456789abcdef"


class UnixConnection(HTTPConnection):
    def __init__(self, path):
        super().__init__("alb", timeout=LIMIT)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


class Balancer:
    """One load balancer process and the servers behind it."""

    def __init__(self, directory):
        self.control_socket = directory / "alb"
        self.log = directory / "alb.log"
        command = [sys.executable, "-m", "sandbox.alb", f"--control={self.control_socket}"]
        command += [f"--log={self.log}"]
        self.processes = [subprocess.Popen(command, cwd=ROOT)]
        self.version = 0
        self.idle_seconds = 60.0
        wait_until(self.control_socket.exists)

    def control(self, method, path, body=None):
        return json.loads(self.ask(method, path, body)[1])

    def ask(self, method, path, body=None):
        connection = UnixConnection(self.control_socket)
        headers = {"Content-Type": "application/json"}
        connection.request(method, path, json.dumps(body) if body else None, headers)
        response = connection.getresponse()
        answer = response.status, response.read()
        connection.close()
        return answer

    def server(self, version="v1"):
        """Start a server; returns its port when it answers."""
        return self.serve(socket.create_server(("127.0.0.1", 0)), version)

    def serve(self, listener, version="v1"):
        """Let a server answer on a listening socket; returns its port when it does."""
        with listener:
            descriptor, port = listener.fileno(), listener.getsockname()[1]
            process = subprocess.Popen(
                [sys.executable, STUB, str(descriptor)],
                pass_fds=[descriptor],
                env={**os.environ, "APP_VERSION": version},
            )
        self.processes.append(process)
        connection = HTTPConnection("127.0.0.1", port, timeout=LIMIT)
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        connection.close()
        return port

    def route(self, weights, **groups):
        """Send traffic by weight to groups of ports."""
        named = {"blue": BLUE, "green": GREEN}
        rows = {
            named[name]: [{"host": "127.0.0.1", "port": port, "version": name} for port in ports]
            for name, ports in groups.items()
        }
        shares = {named[name]: weight for name, weight in weights.items()}
        return self.listen([{"forward": shares}], rows)

    def listen(self, rules, groups):
        """Let one listener follow these rules; it stays on the port that it got first."""
        self.version += 1
        listener = {"port": 0, "elsewhere": True, "protocol": "http"}
        listener["idle_seconds"] = self.idle_seconds
        listeners = {LISTENER: listener | {"rules": rules}}
        body = {"version": self.version, "listeners": listeners, "groups": groups}
        answer = self.control("PUT", "/routing", body)
        self.port = answer["ports"][LISTENER]
        return answer

    def connection(self):
        return HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)

    def get(self, path="/", method="GET", body=None, headers=None):
        connection = self.connection()
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        answer = response.status, response.read()
        connection.close()
        return answer

    def counts(self, group=BLUE):
        """All minutes of one target group (None: the load balancer itself) added up."""
        rows = self.control("GET", "/minutes?since=0")["minutes"]
        total = {}
        for row in rows:
            if row["target_group"] == group:
                for name, value in row.items():
                    if isinstance(value, int):
                        total[name] = total.get(name, 0) + value
        return total

    def raw(self, data):
        """Send bytes; returns everything until the load balancer closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT) as connection:
            connection.sendall(data)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def stop(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(LIMIT)


@pytest.fixture
def balancer():
    with tempfile.TemporaryDirectory(prefix="qd-", dir="/tmp") as directory:
        started = Balancer(Path(directory))
        yield started
        started.stop()


def test_without_targets_the_answer_is_503(balancer):
    balancer.route({"blue": 100}, blue=[])

    status, _ = balancer.get()

    assert status == 503
    counted = balancer.counts(None)
    assert (counted["elb_5xx"], counted["elb_503"], counted["requests"]) == (1, 1, 0)


def test_requests_carry_the_forwarding_headers_of_an_alb(balancer):
    balancer.route({"blue": 100}, blue=[balancer.server()])

    sent = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https", "X-Own": "kept"}
    seen = json.loads(balancer.get("/echo", headers=sent)[1])

    assert seen["X-Forwarded-For"] == "198.51.100.7, 127.0.0.1"
    assert seen["X-Forwarded-Proto"] == "http"
    assert seen["X-Amzn-Trace-Id"].startswith("Root=1-")
    assert seen["X-Own"] == "kept"


def test_one_client_connection_serves_many_requests(balancer):
    balancer.route({"blue": 100}, blue=[balancer.server()])
    connection = balancer.connection()

    statuses = []
    for _ in range(20):
        connection.request("GET", "/")
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    opened = balancer.control("GET", "/minutes")["active_connections"]
    connection.close()

    assert statuses == [200] * 20
    assert opened == {BALANCER: 1}


def test_head_answers_without_a_body_and_keeps_the_connection(balancer):
    balancer.route({"blue": 100}, blue=[balancer.server()])
    connection = balancer.connection()

    statuses = []
    for method in ("HEAD", "GET", "HEAD"):
        connection.request(method, "/")
        response = connection.getresponse()
        statuses.append((response.status, bool(response.read())))
    connection.close()

    assert statuses == [(200, False), (200, True), (200, False)]


def test_a_body_reaches_the_target_chunked_or_not(balancer):
    balancer.route({"blue": 100}, blue=[balancer.server()])
    chunked = (
        b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5\r\nhello\r\n0\r\n\r\n"
    )

    plain = balancer.get("/", "POST", b"hello")
    unchunked = balancer.raw(chunked)

    assert json.loads(plain[1]) == {"received": "hello"}
    assert unchunked.startswith(b"HTTP/1.1 200")
    assert unchunked.endswith(b'{"received": "hello"}')


@pytest.mark.parametrize(
    "bytes_sent",
    [b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nBad Header: x\r\n\r\n"],
)
def test_what_is_not_http_is_refused_with_400(balancer, bytes_sent):
    balancer.route({"blue": 100}, blue=[balancer.server()])

    assert balancer.raw(bytes_sent).startswith(b"HTTP/1.1 400")
    assert balancer.counts(None)["elb_4xx"] == 1


def test_endless_headers_are_refused(balancer):
    balancer.route({"blue": 100}, blue=[balancer.server()])

    answer = balancer.raw(b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 70_000 + b"\r\n\r\n")

    assert answer.startswith((b"HTTP/1.1 413", b"HTTP/1.1 400"))


def test_a_target_that_breaks_the_connection_means_502_without_a_second_try(balancer):
    port = balancer.server()
    balancer.route({"blue": 100}, blue=[port])

    status, _ = balancer.get("/broken")

    assert status == 502
    assert balancer.counts(None)["elb_502"] == 1
    counted = balancer.counts(BLUE)
    assert (counted["connection_errors"], counted["requests"]) == (1, 1)


def test_a_target_that_is_gone_is_avoided_after_its_first_failure(balancer):
    with socket.socket() as gone:
        # Nobody listens there, and nobody else can.
        gone.bind(("127.0.0.1", 0))
        balancer.route({"blue": 100}, blue=[gone.getsockname()[1], balancer.server()])

        statuses = [balancer.get()[0] for _ in range(12)]

    assert statuses.count(502) == 1
    assert statuses.count(200) == 11


def test_a_target_that_does_not_answer_in_time_means_504(balancer):
    balancer.idle_seconds = 1.0
    balancer.route({"blue": 100}, blue=[balancer.server()])

    status, _ = balancer.get("/slow/20")

    assert status == 504
    assert balancer.counts(None)["elb_504"] == 1


def test_weights_divide_the_requests(balancer):
    blue, green = balancer.server("blue"), balancer.server("green")
    balancer.route({"blue": 80, "green": 20}, blue=[blue], green=[green])

    connection = balancer.connection()
    versions = []
    for _ in range(1000):
        connection.request("GET", "/")
        versions.append(json.loads(connection.getresponse().read())["version"])
    connection.close()

    # Four standard deviations of 20 % in 1,000 requests.
    assert 149 < versions.count("green") < 251
    assert balancer.counts(GREEN)["requests"] == versions.count("green")


def test_a_late_older_snapshot_is_ignored(balancer):
    port = balancer.server()
    balancer.route({"blue": 100}, blue=[port])
    old = {"version": 0, "listeners": {}, "groups": {}}

    answer = balancer.control("PUT", "/routing", old)

    assert answer == {"applied": False, "version": 1, "ports": {LISTENER: balancer.port}}
    assert balancer.get()[0] == 200


def test_a_listener_that_may_not_answer_elsewhere_says_that_its_port_is_taken(balancer):
    balancer.route({"blue": 100}, blue=[])
    plan = {"port": balancer.port, "protocol": "http", "idle_seconds": 60, "rules": []}
    other = f"{BALANCER}/0000000000000000"

    def claim(version, *, elsewhere):
        listeners = {LISTENER: plan | {"elsewhere": True}, other: plan | {"elsewhere": elsewhere}}
        body = {"version": version, "listeners": listeners, "groups": {}}
        return balancer.ask("PUT", "/routing", body)

    refused = claim(2, elsewhere=False)
    moved = claim(3, elsewhere=True)

    assert refused[0] == 409
    assert b"in use" in refused[1]
    assert json.loads(moved[1])["ports"][other] not in (0, balancer.port)


def test_draining_waits_for_the_request_in_flight(balancer):
    statuses = []
    slow = threading.Thread(target=lambda: statuses.append(balancer.get()[0]))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        balancer.route({"blue": 100}, blue=[port])
        slow.start()
        target, _ = listener.accept()
    query = f"/drained?group={BLUE}&host=127.0.0.1&port={port}"

    with target:
        target.recv(65536)
        balancer.route({"blue": 100}, blue=[])
        too_soon = balancer.control("GET", f"{query}&timeout=0.05")
        target.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        in_time = balancer.control("GET", f"{query}&timeout={LIMIT}")
    slow.join()

    assert too_soon == {"drained": False}
    assert in_time == {"drained": True}
    assert statuses == [200]


def test_the_idle_connection_to_a_target_that_restarted_costs_no_request(balancer):
    """A kept-alive connection that the target closed is replaced; that is not a retry."""
    port = balancer.server()
    balancer.route({"blue": 100}, blue=[port])
    first = balancer.get()[0]
    balancer.processes[-1].send_signal(signal.SIGKILL)
    balancer.processes[-1].wait()
    balancer.serve(socket.create_server(("127.0.0.1", port)))

    second = balancer.get()[0]

    assert (first, second) == (200, 200)


def test_metrics_count_targets_answers_times_and_bytes(balancer):
    balancer.route({"blue": 100}, blue=[balancer.server()])

    for _ in range(5):
        balancer.get("/slow/0.1")

    rows = balancer.control("GET", "/minutes?since=0")["minutes"]
    timed = [row["latency"] for row in rows if row["target_group"] == BLUE]
    assert sum(sum(latency["buckets"].values()) for latency in timed) == 5
    assert min(latency["min"] for latency in timed) >= 0.1
    assert sum(latency["sum"] for latency in timed) >= 0.5
    counted = balancer.counts()
    assert (counted["requests"], counted["target_2xx"], counted["target_5xx"]) == (5, 5, 0)
    assert counted["bytes"] > 5 * 100


def test_the_access_log_tells_target_group_version_and_status(balancer):
    balancer.route({"blue": 100}, blue=[balancer.server()])
    balancer.get("/v1/articles?q=moon")

    line = wait_until(lambda: balancer.log.exists() and balancer.log.read_text())

    entry = json.loads(line.splitlines()[0])
    assert entry["path"] == "/v1/articles?q=moon"
    assert (entry["target_group"], entry["version"], entry["status"]) == (BLUE, "blue", 200)
    assert entry["target_seconds"] > 0


def test_a_refused_request_is_not_logged_with_what_the_one_before_it_met(balancer):
    balancer.route({"blue": 100}, blue=[balancer.server()])
    with socket.create_connection(("127.0.0.1", balancer.port), timeout=LIMIT) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: news\r\n\r\n")
        connection.recv(65536)
        connection.sendall(b"nonsense\r\n\r\n")
        while connection.recv(65536):
            pass

    lines = (
        wait_until(
            lambda: balancer.log.exists() and len(balancer.log.read_text().splitlines()) == 2
        )
        and balancer.log.read_text().splitlines()
    )

    served, refused = map(json.loads, lines)
    assert (served["status"], served["target_group"]) == (200, BLUE)
    assert (refused["status"], refused["target_group"]) == (400, None)
    assert (refused["target_seconds"], refused["sent"]) == (None, 0)
