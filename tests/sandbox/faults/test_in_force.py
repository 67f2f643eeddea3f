"""Faults on a running account: switched on by name, listed, ended, and felt by clients."""

from __future__ import annotations

import time
import urllib.error
from datetime import UTC, datetime, timedelta
from http.client import HTTPException

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from tests.sandbox.account import wait_until


def fault(account, name, **parameters):
    """Switch a fault on; what the control API says about it."""
    return account.control("POST", "faults", {"fault": name, **parameters})["started"]


def refusal(account, body, method="POST", path="faults"):
    """Status and sentence of a request the control API refuses."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        account.control(method, path, body)
    with refused.value as answer:
        return answer.code, answer.read().decode()


def code(call, **parameters):
    """The code, message and status AWS refuses a call with."""
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    response = refused.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


# -- the list ------------------------------------------------------------------------------------


def test_a_fault_is_listed_with_its_start_and_end_until_it_is_cleared(account):
    fault(account, "latency", milliseconds=1, **{"for": "10m"})
    (listed,) = account.control("GET", "faults")["faults"]

    cleared = account.control("DELETE", "faults?fault=latency")

    assert listed["fault"] == "latency"
    assert listed["parameters"] == {"milliseconds": 1.0, "share": 1.0}
    began, ends = (datetime.fromisoformat(listed[key]) for key in ("started", "ends"))
    assert timedelta(minutes=9, seconds=50) < ends - began <= timedelta(minutes=10, seconds=5)
    assert 500 < listed["remaining_seconds"] <= 600
    assert cleared["faults"] == []
    assert cleared["cleared"][0]["id"] == cleared["past"][0]["id"] == listed["id"]


def test_the_same_fault_twice_is_one_fault_with_a_new_end(account):
    first = fault(account, "throttle", operation="ListClusters", **{"for": "1m"})
    second = fault(account, "throttle", operation="ListClusters", **{"for": "1h"})

    assert first["id"] == second["id"]
    assert second["remaining_seconds"] > 3500
    assert len(account.control("GET", "faults")["faults"]) == 1


def test_a_fault_ends_when_its_time_is_over(account):
    fault(account, "errors", status=503, **{"for": "0.2s"})

    wait_until(lambda: not account.control("GET", "faults")["faults"])

    assert account.get()[0] == 200
    assert account.control("GET", "faults")["past"][0]["fault"] == "errors"


def test_one_fault_of_several_is_ended_by_its_number(account):
    kept = fault(account, "throttle", operation="ListClusters")
    ended = fault(account, "throttle", operation="ListServices")

    account.control("DELETE", f"faults?id={ended['id']}")

    assert [one["id"] for one in account.control("GET", "faults")["faults"]] == [kept["id"]]


def test_a_knob_has_one_position_and_goes_back_where_it_was(account):
    fault(account, "surge", rate=3)
    fault(account, "surge", rate=5)
    says = [one["says"] for one in account.control("GET", "faults")["faults"]]

    ended = account.control("DELETE", "faults")["cleared"]

    assert says == ["Readers send 5 requests a second instead of 0."]
    assert len(ended) == 1


def test_every_fault_is_described(account):
    known = account.control("GET", "faults/known")["known"]

    described = {one["fault"]: one for one in known}

    assert len(described) >= 25
    assert all(one["help"] and isinstance(one["lasting"], bool) for one in known)
    assert described["surge"]["parameters"] == [
        {"name": "rate", "help": "requests a second", "required": True}
    ]


@pytest.mark.parametrize(
    ("method", "path", "body", "sentence"),
    [
        ("POST", "faults", {"fault": "earthquake"}, "There is no fault 'earthquake'. Known: "),
        ("POST", "faults", {"fault": "kill-task", "task": "ffff"}, "No such task is running."),
        ("POST", "faults", {"fault": "balancer-errors", "load_balancer": "x"}, "There is no such"),
        ("POST", "faults", {"fault": "bad-image", "service": "a/b"}, "ECS refuses it: Cluster not"),
        ("DELETE", "faults?fault=earthquake", None, "There is no fault 'earthquake'."),
        ("DELETE", "faults?id=one", None, "id must be a number."),
        ("POST", "traffic", {"rate": -1}, "rate must be a number of requests a second"),
        ("POST", "traffic", {"rate": "nan"}, "rate must be a number of requests a second"),
        ("POST", "scenarios", {"scenario": "doomsday"}, "There is no scenario 'doomsday'. Known:"),
        ("POST", "scenarios", {"file": "steps: []"}, "scenario:1: a scenario needs seed"),
    ],
)
def test_what_the_control_api_cannot_do_it_says_in_a_sentence(
    account, method, path, body, sentence
):
    status, said = refusal(account, body, method, path)

    assert status == 400
    assert said.startswith(sentence)


def test_a_log_flood_is_in_force_while_its_lines_arrive(account):
    flood = {"group": "/test/flood", "lines_per_second": 5}
    whole = fault(account, "log-flood", seconds=600, **flood)
    again = fault(account, "log-flood", seconds=600, **flood)
    brief = fault(account, "log-flood", seconds=1, **flood)
    listed = {one["id"] for one in account.control("GET", "faults")["faults"]}

    def over():
        rows = account.control("GET", "faults")["faults"]
        return brief["id"] not in {one["id"] for one in rows}

    wait_until(over)
    cleared = account.control("DELETE", "faults?fault=log-flood")["cleared"]

    assert whole["ended"] is None
    assert 500 < whole["remaining_seconds"] <= 600
    assert brief["ended"] is None
    # The brief one may be over by now.
    assert listed - {brief["id"]} == {whole["id"], again["id"]}
    assert {one["id"] for one in cleared} == {whole["id"], again["id"]}


def test_a_cleared_log_flood_writes_no_more_lines(account):
    fault(account, "log-flood", group="/test/cleared", lines_per_second=100, seconds=600)
    account.control("DELETE", "faults")

    def lines():
        answer = account.client("logs").filter_log_events(logGroupName="/test/cleared")
        return len(answer["events"])

    def rests():
        written = lines()
        # The flood writes every half second, and once more after its end.
        time.sleep(1.2)
        return 0 < written == lines()

    assert wait_until(rests)


# -- AWS's API -----------------------------------------------------------------------------------


def test_throttling_speaks_the_protocol_of_the_call(account):
    fault(account, "throttle", operation="*")

    codes = [
        code(account.ecs.list_clusters),
        code(account.client("elbv2").describe_load_balancers),
        code(account.client("ec2").describe_vpcs),
        code(account.client("cloudwatch").list_metrics),
    ]

    assert codes[:3] == [
        ("ThrottlingException", 400),
        ("Throttling", 400),
        ("RequestLimitExceeded", 503),
    ]
    assert codes[3][0] in ("Throttling", "ThrottlingException")


def test_expired_and_unknown_credentials_have_their_codes(account):
    fault(account, "credentials", count=2)
    expired = [
        code(account.ecs.list_clusters),
        code(account.client("sts").get_caller_identity),
    ]

    fault(account, "credentials", how="unknown", count=2)
    unknown = [
        code(account.ecs.list_clusters),
        code(account.client("sts").get_caller_identity),
    ]

    assert expired == [("ExpiredTokenException", 400), ("ExpiredToken", 403)]
    assert unknown == [("UnrecognizedClientException", 400), ("InvalidClientTokenId", 403)]


def test_only_the_caller_with_that_key_is_hit(account):
    fault(account, "credentials", access_key="AKIAOTHER")

    assert account.ecs.list_clusters()["clusterArns"]


def test_a_denied_action_is_an_access_denied_error_of_its_protocol(account):
    fault(account, "deny", operation="elasticloadbalancing:DescribeLoadBalancers")
    fault(account, "deny", operation="ecs:ListClusters", how="explicit")

    assert code(account.client("elbv2").describe_load_balancers) == ("AccessDenied", 403)
    with pytest.raises(account.ecs.exceptions.AccessDeniedException, match="with an explicit deny"):
        account.ecs.list_clusters()


def test_a_dropped_call_is_not_carried_out(account):
    fault(account, "drop", operation="CreateCluster")

    with pytest.raises(ConnectionClosedError):
        account.ecs.create_cluster(clusterName="dropped")

    account.control("DELETE", "faults")
    assert account.ecs.describe_clusters(clusters=["dropped"])["clusters"] == []


def test_a_hanging_call_answers_after_its_silence(account):
    fault(account, "hang", operation="ListClusters", seconds=0.6)

    with pytest.raises(ReadTimeoutError):
        account.client("ecs", read_timeout=0.2).list_clusters()

    assert account.ecs.list_clusters()["clusterArns"]


def test_a_proxys_page_instead_of_an_answer_is_an_error(account):
    fault(account, "corrupt", operation="ListClusters", how="html")

    assert code(account.ecs.list_clusters)[1] == 502


def test_half_of_an_answer_is_broken_xml_and_to_boto3_an_empty_json_answer(account):
    fault(account, "corrupt", operation="*")

    with pytest.raises(ResponseParserError):
        account.client("elbv2").describe_load_balancers()

    assert "clusterArns" not in account.ecs.list_clusters()


def test_a_caller_whose_clock_is_wrong_is_told_so(account):
    fault(account, "signature-window")
    assert account.ecs.list_clusters()["clusterArns"]

    fault(account, "clock-step", seconds=600)
    refused = code(account.ecs.list_clusters), code(account.client("sts").get_caller_identity)
    fault(account, "clock-step", seconds=-600)

    assert refused == (("InvalidSignatureException", 400), ("SignatureDoesNotMatch", 403))
    assert account.ecs.list_clusters()["clusterArns"]


def test_a_clock_step_moves_what_the_account_calls_now(account):
    before = datetime.fromisoformat(account.control("GET", "status")["now"])
    fault(account, "clock-step", seconds=3600)
    after = datetime.fromisoformat(account.control("GET", "status")["now"])
    fault(account, "clock-step", seconds=-3600)

    assert timedelta(hours=1) <= after - before < timedelta(hours=1, minutes=1)
    assert abs(datetime.now(UTC) - before) < timedelta(minutes=1)


# -- the workload --------------------------------------------------------------------------------


def test_errors_and_latency_reach_running_tasks_of_one_service_only(account):
    fault(account, "errors", status=503, service="production/news-api")
    production = account.get()[0], account.get("/healthz")[0]
    staging = account.get(port=account.alb_port + 1)[0]

    account.control("DELETE", "faults")

    assert (production, staging) == ((503, 200), 200)
    assert account.get()[0] == 200


def test_the_load_balancers_own_error_is_counted_as_its_own(account):
    fault(account, "balancer-errors", status=503)

    status, headers, _ = account.get()

    assert (status, headers["Server"]) == (503, "awselb/2.0")
    assert account.get(port=account.alb_port + 1)[0] == 200


def test_reset_connections_are_reset(account):
    fault(account, "balancer-resets")

    with pytest.raises((ConnectionResetError, HTTPException)):
        account.get()

    account.control("DELETE", "faults")
    assert account.get()[0] == 200


def running(account):
    arns = account.ecs.list_tasks(cluster="production", serviceName="news-api")["taskArns"]
    tasks = account.ecs.describe_tasks(cluster="production", tasks=arns)["tasks"]
    return {task["taskArn"]: task["availabilityZone"] for task in tasks}


def test_a_killed_task_is_replaced(account):
    before = running(account)

    fault(account, "kill-task", service="production/news-api")

    replaced = wait_until(lambda: account.steady() and running(account).keys() - before.keys())
    assert len(replaced) == 1


def test_a_zone_that_fails_takes_its_tasks_and_gets_none_until_it_is_back(account):
    assert set(running(account).values()) == {"us-east-1a", "us-east-1b"}

    fault(account, "zone-outage", zone="us-east-1a")

    def moved():
        return sorted(running(account).values()) == ["us-east-1b", "us-east-1b"]

    # Until ECS has seen its tasks end, the service looks as steady as before.
    wait_until(moved)
    wait_until(account.steady)

    assert moved()


def test_without_room_a_killed_task_is_not_replaced_and_an_event_says_why(account):
    fault(account, "placement-failure")
    fault(account, "kill-task", service="production/news-api")

    def told():
        texts = [event["message"] for event in account.service()["events"]]
        return [text for text in texts if "was unable to place a task" in text]

    assert "Capacity is unavailable at this time" in wait_until(told)[0]
    account.control("DELETE", "faults")
    wait_until(account.steady)


def test_a_release_cannot_be_guarded_by_alarms_that_do_not_exist(account):
    before = account.service()["taskDefinition"]
    alarms = "nope,news-api-5xx-ratio, neither"

    said = refusal(account, {"fault": "bad-image", "alarms": alarms})

    assert said == (400, "There is no alarm nope and no alarm neither.")
    assert account.service()["taskDefinition"] == before


def test_minutes_of_baking_are_not_dropped_without_a_strategy(account):
    said = refusal(account, {"fault": "bad-image", "bake_minutes": 5})

    assert said == (400, "bake_minutes belongs to a strategy; name one.")


def test_alarms_guard_a_release_that_keeps_the_services_own_strategy(account):
    own = account.service()["deploymentConfiguration"]

    fault(account, "bad-image", tag="1.4.4-unhealthy", alarms="news-api-5xx-ratio")

    changed = account.service()["deploymentConfiguration"]
    names = ["news-api-5xx-ratio"]
    assert changed == own | {"alarms": {"alarmNames": names, "enable": True, "rollback": True}}
    account.ecs.update_service(
        cluster="production", service="news-api", deploymentConfiguration=own
    )


def test_a_bad_image_is_released_through_ecs(account):
    fault(account, "bad-image", tag="1.4.4-unhealthy", strategy="BLUE_GREEN", bake_minutes=0)

    (newest, *_) = wait_until(
        lambda: account.ecs.list_service_deployments(
            cluster="production", service="news-api", status=["PENDING", "IN_PROGRESS"]
        )["serviceDeployments"]
    )

    revision = account.revision(newest["targetServiceRevisionArn"])
    assert revision["containerImages"][0]["image"].endswith("news-api:1.4.4-unhealthy")
