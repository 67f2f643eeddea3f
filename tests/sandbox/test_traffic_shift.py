"""Moving traffic drops no request, and weights mean what they say."""

from __future__ import annotations

import time

from tests.sandbox.account import PAUSE, Readers, wait_until

BEFORE_TRAFFIC = PAUSE | {"lifecycleStages": ["PRE_PRODUCTION_TRAFFIC_SHIFT"]}
CANARY = {
    "strategy": "CANARY",
    "bakeTimeInMinutes": 1,
    "canaryConfiguration": {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 0},
    "lifecycleHooks": [BEFORE_TRAFFIC],
}


def other_than(version):
    return "1.4.1" if version == "1.4.0" else "1.4.0"


def test_a_promoted_canary_fails_no_request_and_gets_its_share_before(account):
    tag = other_than(account.version())

    with Readers(account) as readers:
        arn = account.release(tag, **CANARY)
        first = account.waiting_hook(arn)
        account.resume(arn, first)
        second = account.waiting_hook(arn, after={first["hookId"]})
        start = time.monotonic()
        wait_until(lambda: sum(readers.versions(start, time.monotonic()).values()) > 1500)
        end = time.monotonic()
        account.resume(arn, second)
        done = account.finished(arn)

    seen = readers.versions(start, end)
    share = seen[tag] / sum(seen.values())
    assert done["status"] == "SUCCESSFUL"
    assert readers.failures() == []
    # Four standard deviations of a share of 10 % in 1,500 requests.
    assert 0.069 < share < 0.131


def test_a_rollback_sends_no_later_request_to_the_bad_version_and_fails_none(account):
    good = account.version()
    bad = other_than(good)

    with Readers(account) as readers:
        arn = account.release(bad, **CANARY | {"canaryConfiguration": {"canaryPercent": 50.0}})
        account.resume(arn, account.waiting_hook(arn))
        wait_until(lambda: any(version == bad for _, _, version in list(readers.answers)))
        account.stop_deployment(arn)
        wait_until(lambda: account.deployment(arn).get("rollback"))
        wait_until(
            lambda: (
                account.deployment(arn)["targetServiceRevision"]["requestedProductionTrafficWeight"]
                == 0.0
            )
        )
        flipped = time.monotonic()
        done = account.finished(arn)
        wait_until(lambda: sum(readers.versions(flipped, time.monotonic()).values()) > 100)
        after = readers.versions(flipped, time.monotonic())

    assert done["status"] == "ROLLBACK_SUCCESSFUL"
    assert set(after) == {good}
    assert readers.failures() == []


def test_the_listener_rule_tells_the_weights_in_force(account):
    elb = account.client("elbv2")
    arn = account.release(other_than(account.version()), **CANARY)
    first = account.waiting_hook(arn)
    account.resume(arn, first)
    account.waiting_hook(arn, after={first["hookId"]})

    rule = account.service()["loadBalancers"][0]["advancedConfiguration"]["productionListenerRule"]
    found = elb.describe_rules(RuleArns=[rule])["Rules"][0]
    account.stop_deployment(arn)
    account.finished(arn)
    restored = elb.describe_rules(RuleArns=[rule])["Rules"][0]

    assert sorted(weights(found)) == [10, 90]
    assert sorted(weights(restored)) == [0, 100]


def weights(rule):
    return [g["Weight"] for g in rule["Actions"][0]["ForwardConfig"]["TargetGroups"]]


def test_a_rolling_update_behind_a_load_balancer_fails_no_request(account):
    tag = other_than(account.version())

    with Readers(account) as readers:
        done = account.finished(account.release(tag, strategy="ROLLING"))

    assert done["status"] == "SUCCESSFUL"
    assert readers.failures() == []
    assert account.version() == tag


def test_a_request_in_flight_is_answered_by_the_version_that_is_leaving(account):
    old = account.version()
    with Readers(account, count=1) as readers:
        arn = account.release(other_than(old), strategy="BLUE_GREEN", bakeTimeInMinutes=0)
        wait_until(lambda: account.deployment(arn)["status"] != "PENDING")
        slow = [account.get("/slow/1.5") for _ in range(2)]
        account.finished(arn)

    assert [status for status, _, _ in slow] == [200, 200]
    assert readers.failures() == []


def test_scaling_out_and_in_and_stopping_a_task_fail_no_request(account):
    where = {"cluster": "production", "service": "news-api"}

    with account.scaling_suspended(), Readers(account) as readers:
        account.ecs.update_service(**where, desiredCount=4)
        wait_until(lambda: account.service()["runningCount"] == 4)
        account.ecs.update_service(**where, desiredCount=2)
        wait_until(lambda: account.service()["runningCount"] == 2)
        task = account.ecs.list_tasks(cluster="production", serviceName="news-api")["taskArns"][0]
        account.ecs.stop_task(cluster="production", task=task)
        wait_until(lambda: stopped(account, task))
        wait_until(account.steady)

    assert readers.failures() == []
    assert len(readers.answers) > 100


def test_a_killed_task_loses_only_what_was_under_way(account):
    task = account.ecs.list_tasks(cluster="production", serviceName="news-api")["taskArns"][0]

    with Readers(account) as readers:
        wait_until(lambda: len(readers.answers) > 50)
        account.control("POST", f"tasks/{task.rsplit('/', 1)[-1]}/kill", {})
        wait_until(lambda: stopped(account, task))
        wait_until(account.steady)
        late = len(readers.answers)
        wait_until(lambda: len(readers.answers) > late + 100)

    assert {status for _, status, _ in readers.failures()} <= {502}
    # Each client may lose one request to the connection it had, and one more until the ejection.
    assert len(readers.failures()) <= 8
    assert {status for _, status, _ in readers.answers[late:]} == {200}


def stopped(account, task):
    found = account.ecs.describe_tasks(cluster="production", tasks=[task])["tasks"][0]
    return found["lastStatus"] == "STOPPED"
