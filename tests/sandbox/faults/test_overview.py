"""The list of operations is complete and honest, and the page can be read by anybody."""

from __future__ import annotations

import ast
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

from botocore import xform_name

from sandbox.chaos.operations import OURS
from sandbox.honesty import OUR_READING, SIMPLIFIED, Note, notes_of, our_reading, simplified
from sandbox.overview.facts import Facts, Process, Row, attributed, gather
from sandbox.overview.page import html
from tests.sandbox.account import LIMIT, wait_until
from tests.sandbox.contract import MODELS

TESTS = Path(__file__).resolve().parents[1]


class Served:
    """Two operations of Amazon SNS, and what they leave out."""

    NOTES = (Note(SIMPLIFIED, "Nothing is delivered."),)

    @simplified("One subscriber.")
    @our_reading("The order of topics.")
    def list_topics(self):
        """Nothing."""

    def create_topic(self):
        """Nothing."""


def test_notes_stand_on_methods_and_on_whole_services():
    service = Served()

    assert notes_of(service.list_topics) == (
        Note(SIMPLIFIED, "One subscriber."),
        Note(OUR_READING, "The order of topics."),
    )
    assert notes_of(service.create_topic) == ()
    assert notes_of(service) == Served.NOTES


def own_operations(account):
    """(service, operation) of everything the sandbox answers itself."""
    services = account.control("GET", "operations")["services"]
    return {
        (service["service"], row["operation"])
        for service in services
        for row in service["operations"]
        if row["by"] == "ours"
    }


def test_every_operation_of_ours_is_listed_and_the_rest_is_motos(account):
    services = account.control("GET", "operations")["services"]
    by = {
        (service["service"], row["operation"]): row["by"]
        for service in services
        for row in service["operations"]
    }

    assert by["ecs", "ContinueServiceDeployment"] == "ours"
    assert by["logs", "StartLiveTail"] == "refused"
    assert by["cloudwatch", "GetMetricData"] == "ours"
    assert by["sns", "CreateTopic"] == "moto"
    assert ("ecs", "ExecuteEverything") not in by
    assert len(by) > 3000


# What this account answers with an error whatever is asked: it has no such thing.
NEVER_ANSWERED = {
    "application-autoscaling.GetPredictiveScalingForecast",
    "ce.CreateCostCategoryDefinition",
    "ce.GetCostAndUsageWithResources",
    "ce.GetSavingsPlansCoverage",
    "ce.GetSavingsPlansUtilization",
    "ce.GetSavingsPlansUtilizationDetails",
    "secretsmanager.RemoveRegionsFromReplication",
    "secretsmanager.ReplicateSecretToRegions",
    "secretsmanager.StopReplicationToReplica",
}


def words_of_tests():
    """What modules that check answers against shapes quote, and what any module names."""
    checked, named = set(), set()
    for path in TESTS.rglob("test_*.py"):
        text = path.read_text()
        nodes = list(ast.walk(ast.parse(text)))
        quoted = {n.value for n in nodes if isinstance(n, ast.Constant)}
        named |= quoted | {n.attr for n in nodes if isinstance(n, ast.Attribute)}
        if "tests.sandbox.contract import" in text:
            checked |= quoted
    return checked, named


def has_an_answer(service, operation):
    """Whether there is a shape to check: some operations answer nothing, and some only errors."""
    shape = MODELS.get_service_model(service).operation_model(operation).output_shape
    return bool(shape and shape.members) and f"{service}.{operation}" not in NEVER_ANSWERED


def test_every_operation_of_ours_has_a_contract_check(account):
    checked, named = words_of_tests()

    unchecked = sorted(
        f"{service}.{operation}"
        for service, operation in own_operations(account)
        if operation not in checked
        and (has_an_answer(service, operation) or xform_name(operation) not in named)
    )

    assert unchecked == []


class Outline(HTMLParser):
    """What a reader of the page finds: elements, and ids they are linked to."""

    def __init__(self):
        super().__init__()
        self.tags, self.ids, self.links = [], set(), set()

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append(tag)
        self.ids.add(given.get("id"))
        self.links.add(given.get("href", ""))


TASK = "<td>task production/news-api "


def page(account):
    """The page of the account: its policy and its text."""
    url = f"http://127.0.0.1:{account.port}/_sandbox/"
    with urllib.request.urlopen(url, timeout=LIMIT) as answer:
        return answer.headers["Content-Security-Policy"], answer.read().decode()


def test_the_page_shows_the_clock_faults_and_operations_without_scripts(account):
    account.control("POST", "faults", {"fault": "throttle", "operation": "ListClusters"})

    # A task of an earlier test may still drain.
    policy, text = wait_until(lambda: (told := page(account))[1].count(TASK) <= 2 and told)

    outline = Outline()
    outline.feed(text)
    assert policy.startswith("default-src 'none'")
    assert "script" not in outline.tags
    assert outline.tags.count("h1") == outline.tags.count("main") == 1
    assert {link[1:] for link in outline.links if link.startswith("#")} <= outline.ids
    assert "ListClusters is throttled." in text
    assert "UpdateService" in text
    assert "<td>gateway</td>" in text
    assert "<td>load balancer</td>" in text
    assert "<td>traffic</td>" in text
    assert text.count(TASK) == 2
    assert "sandbox.zygote" not in text
    assert "<details open" not in text


def test_our_operations_are_the_services_whose_names_are_looked_up_first(account):
    assert {service for service, _ in own_operations(account)} == set(OURS)


def test_memory_belongs_to_the_task_or_child_whose_process_it_is():
    table = {
        10: Row(1, 0, "python -m sandbox serve --home=x"),
        11: Row(10, 0, "python -m sandbox.zygote 7"),
        12: Row(11, 0, "python -m sandbox.zygote 7"),
        13: Row(12, 0, "python -m sandbox.zygote 7"),
        14: Row(10, 0, "/usr/bin/python3 -m sandbox.alb --control=y"),
        15: Row(10, 0, "/opt/bin/tool --flag"),
        99: Row(1, 0, "python -m sandbox serve --home=other"),
    }

    found = attributed(10, table, lambda pid: pid, {12: "task c/s 1", 77: "task that ended"})

    assert found == (
        Process(10, "gateway", 10),
        Process(11, "fork server of tasks", 11),
        Process(14, "load balancer", 14),
        Process(15, "tool", 15),
        Process(12, "task c/s 1", 25),
    )


def test_processes_are_listed_in_an_image_without_ps(tmp_path, monkeypatch):
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    )
    if sys.platform == "linux":  # elsewhere there are no images, and ps is the only way
        monkeypatch.setenv("PATH", str(tmp_path))

    found = gather(datetime(2026, 11, 22, tzinfo=UTC), {child.pid: "a task"}).processes

    child.communicate()
    assert {one.what for one in found} >= {"gateway", "a task"}
    assert all(one.memory_bytes > 0 for one in found if one.what == "gateway")


def test_memory_says_how_shared_pages_are_counted():
    now = datetime(2026, 11, 22, tzinfo=UTC)
    processes = (Process(1, "gateway", 3 * 2**20), Process(2, "traffic", 2**20))

    shared = html(Facts(now, now, 1.0, 0.0, processes), [], [])
    resident = html(Facts(now, now, 1.0, 0.0, processes, proportional=False), [], [])

    assert "4 MiB (PSS: pages that processes share are divided among them)" in shared
    assert "4 MiB resident; shared pages count in each process" in resident


def test_services_are_summed_up_and_folded():
    now = datetime(2026, 11, 22, tzinfo=UTC)
    rows = [{"operation": by, "by": by, "notes": []} for by in ("ours", "ours", "moto", "refused")]
    services = [
        {"service": "ecs", "notes": [], "operations": rows},
        {"service": "sqs", "notes": [], "operations": rows[2:3]},
    ]

    page = html(Facts(now, now, 1.0, 0.0, ()), [], services)

    cells = "<td>2</td><td>1</td><td>1</td>"
    assert f'<tr><td><a href="#ecs">ecs</a></td>{cells}</tr>' in page
    assert '<a href="#sqs">' not in page
    assert "<details open" not in page
    assert "1 services of moto alone" in page


def test_a_port_is_never_broken_into_two_lines():
    now = datetime(2026, 11, 22, tzinfo=UTC)
    listener = {"protocol": "HTTP", "port": 8080, "url": "http://127.0.0.1:38737", "rules": []}

    page = html(
        Facts(now, now, 1.0, 0.0, ()), [], [], {"news-production": {"listeners": [listener]}}
    )

    assert '<span class="whole">HTTP:8080</span>' in page
    assert '<a class="whole" href="http://127.0.0.1:38737">' in page
    assert ".whole { white-space: nowrap; }" in page


def test_a_clock_that_keeps_time_is_no_second_ahead():
    now = datetime(2026, 11, 22, tzinfo=UTC)

    page = html(Facts(now, now, 1.0, -0.04, ()), [], [])

    assert "rate 1, 0 s ahead of real time" in page


def test_what_others_wrote_cannot_become_markup():
    now = datetime(2026, 11, 22, tzinfo=UTC)
    note = {"kind": "simplified", "text": "<script>"}
    rows = [{"operation": "X", "by": "ours", "notes": [note]}]

    page = html(
        Facts(now, now, 1.0, 0.0, ()),
        [{"id": 1, "fault": "a", "says": "<b>", "started": "now", "ends": None}],
        [{"service": "sns", "notes": [], "operations": rows}],
    )

    assert "<script>" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;" in page
