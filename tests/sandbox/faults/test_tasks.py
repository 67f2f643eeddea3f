"""What a task does about the faults of its image and those switched on while it runs."""

from __future__ import annotations

import random
from collections import Counter

from sandbox.chaos.shared import Watched, write
from sandbox.faults import Faulty, Live

UNTROUBLED = Live(Watched(None), "production/news-api", "1.4.0")


def call(app, path):
    seen = []
    body = b"".join(app({"PATH_INFO": path}, lambda status, headers: seen.append(status)))
    return seen[0], body


def inner(environ, start_response):
    start_response("200 OK", [])
    return [b"fine"]


def test_an_image_with_errors_fails_its_share_but_not_its_health_check():
    random.seed(2)
    app = Faulty(inner, {"error_rate": 0.5}, UNTROUBLED)

    statuses = Counter(call(app, "/v1/articles")[0] for _ in range(400))

    assert 150 < statuses["500 Internal Server Error"] < 250
    assert {call(app, "/healthz")[0] for _ in range(50)} == {"200 OK"}


def test_a_slow_image_waits_on_every_nth_request(monkeypatch):
    waits = []
    monkeypatch.setattr("sandbox.faults.time.sleep", waits.append)
    app = Faulty(inner, {"slow_every": 2, "slow_seconds": 0.4}, UNTROUBLED)

    for _ in range(6):
        call(app, "/v1/articles")

    assert waits == [0.4] * 3


def test_an_unhealthy_image_fails_only_its_health_check():
    app = Faulty(inner, {"unhealthy": 1}, UNTROUBLED)

    assert call(app, "/healthz")[0] == "503 Service Unavailable"
    assert call(app, "/v1/articles") == ("200 OK", b"fine")


def live(tmp_path, monkeypatch, *rows, version="1.4.1", seed=None):
    """A task's view of these rows, and where its waits are written down."""
    waits = []
    monkeypatch.setattr("sandbox.faults.time.sleep", waits.append)
    write(tmp_path / "faults.json", {"seed": seed, "tasks": rows, "balancer": [], "relays": {}})
    return Live(Watched(tmp_path / "faults.json"), "production/news-api", version), waits


def test_latency_and_errors_reach_only_the_tasks_they_are_meant_for(tmp_path, monkeypatch):
    slow = {"seconds": 0.3, "share": 1.0, "service": "production/news-api", "version": None}
    wrong = {"status": 503, "share": 1.0, "service": None, "version": "1.4.1"}

    new, waits = live(tmp_path, monkeypatch, slow, wrong)
    struck = new.strike()
    old, old_waits = live(tmp_path, monkeypatch, slow, wrong, version="1.4.0")

    assert (struck, waits) == (503, [0.3])
    assert (old.strike(), old_waits) == (None, [0.3])


def test_a_running_task_learns_of_a_fault_and_of_its_end(tmp_path, monkeypatch):
    moments = iter(range(100))
    monkeypatch.setattr("sandbox.chaos.shared.time.monotonic", lambda: next(moments))
    path = tmp_path / "faults.json"
    task = Live(Watched(path), "production/news-api", "1.4.0")
    fault = {"seed": None, "tasks": [{"status": 500, "share": 1.0}], "balancer": [], "relays": {}}

    before = task.strike()
    write(path, fault)
    during = task.strike()
    write(path, fault | {"tasks": []})

    assert (before, during, task.strike()) == (None, 500, None)


def test_the_same_seed_strikes_the_same_requests(tmp_path, monkeypatch):
    row = {"status": 500, "share": 0.5}

    one, _ = live(tmp_path, monkeypatch, row, seed=7)
    first = [one.strike() for _ in range(50)]
    other, _ = live(tmp_path, monkeypatch, row, seed=7)

    assert first == [other.strike() for _ in range(50)]
    assert set(first) == {None, 500}
