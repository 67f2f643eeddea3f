"""What a stop, a crash and a restart leave behind, and what comes back."""

from __future__ import annotations

import signal
import socket
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import psutil

from sandbox.alarms.world import metric_alarms
from tests.processes import command_line, gone
from tests.sandbox.account import LIMIT, Account, free_ports, wait_until


def family(account):
    """Every process of the sandbox, tasks included."""
    return psutil.Process(account.process.pid).children(recursive=True)


def restart(account):
    return Account(account.home, ports=(account.port, account.alb_port))


def test_a_terminated_sandbox_leaves_no_process_and_no_socket_directory(fresh_account):
    processes = family(fresh_account)
    commands = [command_line(process) for process in processes]

    fresh_account.process.terminate()
    status = fresh_account.process.wait(LIMIT)

    control = next(a for c in commands for a in c if a.startswith("--control="))
    assert status == 0
    assert len(processes) >= 6
    wait_until(lambda: gone(processes))
    assert not Path(control.removeprefix("--control=")).parent.exists()


def test_a_killed_sandbox_leaves_no_process(fresh_account):
    processes = family(fresh_account)

    fresh_account.process.send_signal(signal.SIGKILL)
    fresh_account.process.wait()
    if sys.platform != "linux":  # only Linux ends orphans by itself; elsewhere the next start does
        restart(fresh_account).ready().stop()

    assert len(processes) >= 6
    wait_until(lambda: gone(processes))


MARK = "from document where kind = 'account' and key = 'furnished'"


def opened(home):
    """The sandbox's own state; raises OperationalError when there is none yet."""
    uri = f"file:{home / 'ecs.sqlite'}?mode=rw"
    return closing(sqlite3.connect(uri, uri=True, isolation_level=None))


def whole(home):
    """Whether everything is made; on a slow machine there is not even a file at first."""
    # Looking at one that is just being made could hold its maker up.
    if not (home / "ecs.sqlite-wal").exists():
        return None
    try:
        with opened(home) as state:
            return state.execute(f"select 1 {MARK}").fetchone()
    except sqlite3.OperationalError:
        return None


def kill_just_before_it_is_whole(home, ports):
    """Everything is made but for the mark that says so."""
    account = Account(home, ports=ports)
    wait_until(lambda: whole(home))
    account.process.kill()
    account.stop()
    with opened(home) as state:
        state.execute(f"delete {MARK}")


def test_a_world_whose_making_was_killed_is_made_whole(tmp_path):
    home, ports = tmp_path / "home", None
    for seconds in (0.4, 0.8, 1.2):
        account = Account(home, ports=ports)
        ports = account.port, account.alb_port
        time.sleep(seconds)
        account.process.kill()
        account.stop()
    kill_just_before_it_is_whole(home, ports)

    again = Account(home, ports=ports).ready()
    try:
        cloudwatch, scaling = again.client("cloudwatch"), again.client("application-autoscaling")
        services = again.ecs.list_services(cluster="production")["serviceArns"]
        alarms = cloudwatch.describe_alarms(AlarmNamePrefix="news-")["MetricAlarms"]
        policies = scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
        dashboards = cloudwatch.list_dashboards()["DashboardEntries"]
    finally:
        again.stop()

    assert len(services) == 2
    assert {alarm["AlarmName"] for alarm in alarms} >= {
        alarm["AlarmName"] for alarm in metric_alarms()
    }
    assert [policy["PolicyName"] for policy in policies] == ["news-api-cpu"]
    assert dashboards


def test_a_restart_brings_back_services_history_and_ids(fresh_account):
    arn = fresh_account.release("1.4.1", strategy="BLUE_GREEN", bakeTimeInMinutes=0)
    done = fresh_account.finished(arn)
    fresh_account.ecs.update_service(cluster="staging", service="news-api", desiredCount=2)
    before = fresh_account.service()
    epoch = fresh_account.control("GET", "status")["epoch"]
    balancers = fresh_account.client("elbv2").describe_load_balancers()["LoadBalancers"]
    fresh_account.stop()

    again = restart(fresh_account).ready()
    try:
        service, scaled = again.service(), again.service("staging")
        kept = again.deployment(arn)
        same = again.client("elbv2").describe_load_balancers()["LoadBalancers"]
        version = again.version()
        status = again.control("GET", "status")
    finally:
        again.stop()

    assert (service["taskDefinition"], scaled["desiredCount"]) == (before["taskDefinition"], 2)
    assert (kept["status"], kept["createdAt"]) == ("SUCCESSFUL", done["createdAt"])
    assert version == "1.4.1"
    assert status["epoch"] == epoch
    assert status["load_balancers"]["news-production"]["weights"]["news-api-green"] == 100.0
    assert [b["LoadBalancerArn"] for b in same] == [b["LoadBalancerArn"] for b in balancers]


def test_a_load_balancer_that_dies_is_started_again_with_its_routing(fresh_account):
    balancer = next(p for p in family(fresh_account) if "sandbox.alb" in command_line(p))

    balancer.kill()

    def answers():
        try:
            return fresh_account.get()[0] == 200
        except OSError:
            return False

    wait_until(answers)
    arn = fresh_account.release("1.4.1", strategy="BLUE_GREEN", bakeTimeInMinutes=0)
    assert fresh_account.finished(arn)["status"] == "SUCCESSFUL"
    assert fresh_account.version() == "1.4.1"


def test_a_sandbox_that_cannot_open_its_account_ends_and_says_why(tmp_path):
    gateway, balancers = free_ports()
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", balancers))
        stranger.listen()
        account = Account(tmp_path / "home", ports=(gateway, balancers))

        status = account.process.wait(LIMIT)
        account.stop()

    assert status == 1
    assert "the account could not be opened" in (tmp_path / "home.out").read_text()


def readers(account):
    return [each for each in family(account) if "sandbox.traffic" in command_line(each)]


def test_readers_that_are_killed_come_back_at_the_rate_they_had(tmp_path):
    account = Account(tmp_path / "home", traffic=3).ready()
    (first,) = wait_until(lambda: readers(account))
    account.control("POST", "traffic", {"rate": 7})

    first.kill()
    (again,) = wait_until(lambda: [each for each in readers(account) if each.pid != first.pid])
    words = command_line(again)
    account.stop()

    assert "--rate=7.0" in words
    assert "the readers ended with -9" in (tmp_path / "home.out").read_text()
    assert (tmp_path / "home.out").read_text().count("the readers ended") == 1
