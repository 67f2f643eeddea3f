"""Scenario files: checked by line, replayed to the end, and leaving nothing behind."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from launcher.probes import ReservedPorts
from sandbox.scenarios import expectations, spans
from sandbox.scenarios.files import DIRECTORY, parse, problems, shipped, titles
from sandbox.scenarios.part import Theatre
from tests.sandbox.account import FAST, LIMIT, ROOT, Account, wait_until

FIRST_LINES = "title: A test\nseed: 1\nsteps:\n"


@pytest.mark.parametrize("name", sorted(path.stem for path in DIRECTORY.glob("*.yaml")))
def test_a_shipped_scenario_has_nothing_wrong(name):
    scenario = shipped(name)

    assert scenario.title == titles()[name]
    assert len(scenario.steps) >= 3


def test_what_was_promised_is_shipped():
    assert titles().keys() >= {
        "bad-canary",
        "slow-release",
        "database-down",
        "cache-down",
        "zone-outage",
        "surge",
        "throttled-account",
        "expired-credentials",
        "cost-spike",
        "stuck-rotation",
        "log-flood",
        "game-day",
    }


@pytest.mark.parametrize(
    ("steps", "line", "sentence"),
    [
        ("  - fault: latncy", 4, "There is no fault 'latncy'. Known: "),
        ("  - fault: surge\n    with: {rate: -4}", 5, "surge: rate must be a number from 0 to"),
        ("  - fault: surge\n    with: 4", 5, "with must be a mapping."),
        ("  - say: a\n  - call: ecs.Update", 5, "there is no operation ecs.Update"),
        ("  - call: ec.ListTasks", 4, "there is no operation ec.ListTasks"),
        ("  - call: ecs.UpdateService", 4, 'Missing required parameter in input: "service"'),
        ("  - call: ecs.ListTasks\n    with: {cluster: 3}", 5, "Invalid type for parameter"),
        ("  - call: ecs.ListTasks\n    with: {cluster: $x}", 5, "$x was not saved by an earlier"),
        ("  - call: ecs.ListTasks\n    shows: 'a['", 5, "not a JMESPath expression: 'a['"),
        ("  - until: alarm x in PANIC", 4, "expected one of: alarm NAME in OK|ALARM"),
        ("  - until: alarm x in OK\n    within: soon", 5, "'soon' must be a time like 90s"),
        ("  - end: latncy", 4, "end must be all or a fault's name, not 'latncy'"),
        ("  - at: 3m", 4, "a step has one of say, fault, end, until, call, not none"),
        ("  - say: a\n    end: all", 4, "a step has one of say, fault, end, until, call, not"),
        ("  - say: a\n    huh: 1", 5, "a step with say does not have huh"),
        ("  - say: a\n    say: b", 5, "say is there twice"),
        ("  - say: [", 5, "expected the node content"),
        ("  - hello", 4, "a step is a mapping"),
    ],
)
def test_a_mistake_is_named_by_its_line(steps, line, sentence):
    (problem,) = problems(FIRST_LINES + steps + "\n", "my.yaml")

    assert problem.startswith(f"my.yaml:{line}: {sentence}")


def test_all_mistakes_of_a_file_are_told_at_once():
    text = FIRST_LINES + "  - fault: a\n  - end: b\n"

    assert len(problems(text, "my.yaml")) == 2
    with pytest.raises(ValueError, match=r"my\.yaml:4: .*\nmy\.yaml:5: "):
        parse(text, "my.yaml")


@pytest.mark.parametrize(
    ("text", "answer", "so"),
    [
        ("alarm a in OK", {"MetricAlarms": [{"StateValue": "OK"}]}, True),
        ("alarm a in ALARM", {"MetricAlarms": [], "CompositeAlarms": []}, False),
        ("deployment of c/s is STOPPED", {"serviceDeployments": []}, False),
        ("deployment of c/s is STOPPED", {"serviceDeployments": [{"status": "STOPPED"}]}, True),
        ("service c/s runs 2 tasks", {"services": [{"runningCount": 3}]}, False),
        ("service c/s runs 2 tasks or more", {"services": [{"runningCount": 3}]}, True),
        ("service c/s is steady", {"services": []}, False),
    ],
)
def test_an_answer_tells_whether_it_is_so(text, answer, so):
    assert expectations.read(text).asked.true(answer) is so


def test_a_pause_is_looked_for_in_the_newest_deployment():
    asked = expectations.read("deployment of c/s waits for a decision").asked

    following = asked.then({"serviceDeployments": [{"serviceDeploymentArn": "new"}, {}]})

    assert following.parameters == {"serviceDeploymentArns": ["new"]}
    hooks = {"lifecycleHookDetails": [{"status": "AWAITING_ACTION"}]}
    assert following.true({"serviceDeployments": [hooks]})
    assert asked.then({"serviceDeployments": []}) is None


def timed(steps):
    return parse(FIRST_LINES + steps, "timed")


def test_how_long_a_scenario_takes_is_the_sum_of_its_pauses_and_its_patience():
    scenario = timed(
        "  - after: 30s\n    say: a\n"
        "  - until: alarm x in OK\n    within: 5m\n"
        "  - at: 2m\n    say: b\n"
        "  - call: ecs.ListClusters\n    shows: a\n    within: 1m\n"
    )

    assert spans.span(scenario) == (120.0, 390.0)
    assert spans.told(scenario, 20) == (
        "at least 2 min and at most 7 min of sandbox time: "
        "at least 6 s and at most 20 s at clock rate 20"
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (0.2, "1 s"), (119, "119 s"), (120, "2 min"), (3601, "1 h 1 min"), (7200, "2 h")],
)
def test_times_are_told_in_words(seconds, words):
    assert spans.spoken(seconds) == words


def test_a_shipped_scenario_of_faults_alone_is_over_in_minutes_of_real_time():
    assert spans.span(shipped("cost-spike"))[1] <= 900


# -- replayed ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def quick_account(tmp_path_factory):
    """A sandbox in which a minute takes a second and a half."""
    environment = FAST | {"SANDBOX_CLOCK_RATE": "40"}
    account = Account(tmp_path_factory.mktemp("quick") / "home", environment=environment).ready()
    yield account
    account.stop()


def command(account, *words):
    """Run `python -m sandbox …`: its exit status and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", *words, f"--port={account.port}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["throttled-account", "zone-outage"])
def test_a_scenario_is_replayed_to_its_end_and_leaves_no_fault(quick_account, name):
    status, printed = command(quick_account, "scenario", "run", name)

    lines = printed.splitlines()
    assert status == 0, printed
    assert re.fullmatch(r"\+\d+\.\ds .* \(seed \d+\)", lines[0])
    assert re.fullmatch(r"\S+ takes at least .* of sandbox time: .* at clock rate 40", lines[1])
    assert re.search(r"waits until \+\d+s before .+ \(\d+ s of real time\)", printed)
    assert lines[-1].endswith("succeeded")
    assert quick_account.control("GET", "faults")["faults"] == []
    assert quick_account.control("GET", "scenarios")["run"]["outcome"] == "succeeded"


def test_a_scenario_that_waits_in_vain_fails_and_names_its_line(quick_account, tmp_path):
    file = tmp_path / "vain.yaml"
    file.write_text(
        FIRST_LINES + "  - fault: surge\n    with: {rate: 1}\n"
        "  - until: service production/news-api runs 99 tasks\n    within: 1s\n"
    )

    status, printed = command(quick_account, "scenario", "run", str(file))

    assert status == 1
    waits = r"waits at most until \+\d+s for service production/news-api runs 99 tasks \(1 s of"
    assert re.search(waits, printed)
    assert "step 2 (line 6): service production/news-api runs 99 tasks: not within 1 s" in printed
    assert quick_account.control("GET", "faults")["faults"] == []


def test_a_running_scenario_is_shown_is_alone_and_can_be_stopped(quick_account):
    text = FIRST_LINES + "  - fault: surge\n    with: {rate: 1}\n  - after: 7d\n    say: late\n"
    quick_account.control("POST", "scenarios", {"file": text, "name": "long"})
    wait_until(lambda: len(quick_account.control("GET", "scenarios")["run"]["lines"]) == 4)

    status, refused = command(quick_account, "scenario", "run", "surge")
    stopped = quick_account.control("DELETE", "scenarios")["run"]

    assert (status, refused.strip()) == (1, "A scenario runs; stop it first.")
    assert stopped["scenario"] == "long"
    assert stopped["outcome"] == "stopped"
    assert [line["text"] for line in stopped["lines"]][-2:] == ["surge ended", "stopped"]
    waits = r"waits until \+60\d{4}s before late \(4 h 12 min of real time\)"
    assert re.fullmatch(waits, stopped["lines"][3]["text"])


def test_a_run_that_is_stopped_twice_still_ends_its_faults():
    async def left():
        theatre, faults = Theatre(None), ["surge"]
        clearing, cleared = asyncio.Event(), asyncio.Event()

        async def play():
            try:
                await asyncio.Event().wait()
            finally:
                clearing.set()
                await cleared.wait()
                faults.clear()

        theatre._playing = asyncio.create_task(play())
        await asyncio.sleep(0)
        first = asyncio.create_task(theatre.stop(None))
        await clearing.wait()
        second = asyncio.create_task(theatre.stop(None))
        await asyncio.sleep(0)
        cleared.set()
        await asyncio.gather(first, second)
        return faults

    assert asyncio.run(left()) == []


def test_scenarios_are_listed_with_the_time_they_take_here(quick_account):
    status, printed = command(quick_account, "scenario", "list")

    assert status == 0
    assert len(re.findall(r"of sandbox time: .* at clock rate 40", printed)) == len(titles())


@pytest.fixture
def nobody():
    """A port where no sandbox answers."""
    ports = ReservedPorts()
    yield SimpleNamespace(port=ports.first)
    ports.close()


def test_scenarios_are_listed_without_a_sandbox_at_clock_rate_1(nobody):
    status, printed = command(nobody, "scenario", "list")

    assert status == 0
    assert printed.count("clock rate 1\n") == len(titles())
    assert "No sandbox answers on that port" in printed


def test_faults_are_switched_listed_and_cleared_from_the_command_line(quick_account):
    switched = command(quick_account, "fault", "latency", "--milliseconds=5", "--for=10h")
    listed = command(quick_account, "faults")
    cleared = command(quick_account, "clear", "latency")
    refused = command(quick_account, "fault", "surge", "--rate=often")

    assert switched[0] == listed[0] == cleared[0] == 0
    assert re.search(r"\d+ latency from \S+ until \S+, \d+\S* s left: Tasks answer", listed[1])
    assert cleared[1].startswith("ended ")
    assert refused == (1, "surge: rate must be a number from 0 to 500, not 'often'.\n")


def test_files_that_cannot_be_read_are_named(tmp_path):
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe")
    (tmp_path / "good.yaml").write_text(FIRST_LINES + "  - say: hello\n")

    names = ("binary.yaml", "good.yaml", "gone.yaml")
    checked = subprocess.run(
        [
            sys.executable,
            "-m",
            "sandbox",
            "scenario",
            "check",
            *(tmp_path / name for name in names),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (checked.returncode, checked.stderr) == (1, "")
    binary, gone = checked.stdout.splitlines()
    assert binary.startswith(f"{tmp_path / 'binary.yaml'}: cannot be read: ")
    assert gone.startswith(f"{tmp_path / 'gone.yaml'}: cannot be read: ")


def test_operations_of_a_service_are_listed_and_an_unknown_service_is_named(quick_account):
    listed = command(quick_account, "operations", "budgets")
    unknown = command(quick_account, "operations", "budget")

    assert listed[0] == 0
    assert "budgets.CreateBudget ours" in listed[1]
    assert unknown[0] == 1
    assert unknown[1].startswith("There is no service 'budget'. Known: account, acm, ")


def test_without_a_sandbox_the_port_to_look_for_is_told(nobody):
    status, printed = command(nobody, "status")

    assert status == 1
    assert printed.startswith(f"No sandbox answers on port {nobody.port}: ")
    assert "bin/up says which port its sandbox has; name it with --port." in printed
