"""Deployments walk ECS's stages, pause, roll back and fail as ECS's do."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import pytest

from tests.sandbox.account import PAUSE, Readers, wait_until

BEFORE_TRAFFIC = PAUSE | {"lifecycleStages": ["PRE_PRODUCTION_TRAFFIC_SHIFT"]}
BEFORE_SCALE_UP = PAUSE | {"lifecycleStages": ["PRE_SCALE_UP"]}
PAUSABLE = (
    "PRE_SCALE_UP",
    "POST_SCALE_UP",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
)


def blue_green(**more):
    return {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0, **more}


def canary(percent=10.0, minutes=1, **more):
    step = {"canaryPercent": percent, "canaryBakeTimeInMinutes": minutes}
    return {"strategy": "CANARY", "bakeTimeInMinutes": 1, "canaryConfiguration": step, **more}


def weight(deployment):
    return deployment["targetServiceRevision"]["requestedProductionTrafficWeight"]


def test_a_blue_green_deployment_replaces_every_task_and_alternates_the_target_group(account):
    before = account.ecs.describe_services(cluster="production", services=["news-api"])["services"]
    old_tasks = set(
        account.ecs.list_tasks(cluster="production", serviceName="news-api")["taskArns"]
    )

    arn = account.release("1.4.1", **blue_green())
    done = account.finished(arn)

    assert done["status"] == "SUCCESSFUL"
    assert weight(done) == 100.0
    source = account.revision(done["sourceServiceRevisions"][0]["arn"])
    target = account.revision(done["targetServiceRevision"]["arn"])
    groups = [
        r["resolvedConfiguration"]["loadBalancers"][0]["targetGroupArn"] for r in (source, target)
    ]
    assert groups[0] != groups[1]
    new_tasks = set(
        account.ecs.list_tasks(cluster="production", serviceName="news-api")["taskArns"]
    )
    assert len(new_tasks) == 2
    assert not new_tasks & old_tasks
    assert account.version() == "1.4.1"
    assert account.service()["taskDefinition"] != before[0]["taskDefinition"]


def test_a_canary_pauses_before_each_step_with_a_new_hook_id(account):
    arn = account.release("1.4.0", **canary(lifecycleHooks=[BEFORE_TRAFFIC]))

    first = account.waiting_hook(arn)
    before_any_traffic = account.deployment(arn)
    account.resume(arn, first)
    second = account.waiting_hook(arn, after={first["hookId"]})
    at_canary = account.deployment(arn)
    account.resume(arn, second)
    done = account.finished(arn)

    assert weight(before_any_traffic) == 0.0
    assert weight(at_canary) == 10.0
    assert at_canary["sourceServiceRevisions"][0]["requestedProductionTrafficWeight"] == 90.0
    assert first["hookId"] != second["hookId"]
    assert first["hookId"].startswith("ecs-pause-")
    assert len(first["hookId"]) == len("ecs-pause-") + 43
    assert first["timeoutAction"] == "ROLLBACK"
    assert done["status"] == "SUCCESSFUL"
    assert [h["status"] for h in done["lifecycleHookDetails"]] == ["SUCCEEDED", "SUCCEEDED"]


def test_a_linear_deployment_pauses_before_every_step(account):
    step = {"stepPercent": 40.0, "stepBakeTimeInMinutes": 0}
    arn = account.release(
        "1.4.1", strategy="LINEAR", linearConfiguration=step, lifecycleHooks=[BEFORE_TRAFFIC]
    )

    weights, answered = [], set()
    for _ in range(3):
        hook = account.waiting_hook(arn, after=answered)
        weights.append(weight(account.deployment(arn)))
        answered.add(hook["hookId"])
        account.resume(arn, hook)

    assert account.finished(arn)["status"] == "SUCCESSFUL"
    assert weights == [0.0, 40.0, 80.0]


def test_a_rolling_deployment_reports_no_stage_and_ends_successful(account):
    arn = account.release("1.4.1", name="news-ingest", strategy="ROLLING")

    done = account.finished(arn)

    assert done["status"] == "SUCCESSFUL"
    assert "lifecycleStage" not in done
    wait_until(lambda: account.steady("production", "news-ingest"))


@pytest.mark.parametrize("stage", PAUSABLE)
def test_a_deployment_pauses_at_every_stage_that_allows_it(account, stage):
    hook = PAUSE | {"lifecycleStages": [stage]}
    arn = account.release("1.4.1", **blue_green(lifecycleHooks=[hook]))

    account.waiting_hook(arn)

    assert account.deployment(arn)["lifecycleStage"] == stage
    account.stop_deployment(arn)
    assert account.finished(arn)["status"] == "ROLLBACK_SUCCESSFUL"


def test_a_rejected_pause_fails_the_hook_and_rolls_back(account):
    before = account.service()["taskDefinition"]
    arn = account.release("1.4.1", **canary(lifecycleHooks=[BEFORE_TRAFFIC]))

    account.resume(arn, account.waiting_hook(arn), "ROLLBACK")
    done = account.finished(arn)

    assert done["status"] == "ROLLBACK_SUCCESSFUL"
    assert done["lifecycleHookDetails"][0]["status"] == "FAILED"
    assert done["rollback"]["serviceRevisionArn"] == done["sourceServiceRevisions"][0]["arn"]
    assert account.service()["taskDefinition"] == before


@pytest.mark.parametrize(
    ("action", "verdict"), [("CONTINUE", "SUCCESSFUL"), ("ROLLBACK", "ROLLBACK_SUCCESSFUL")]
)
def test_an_expired_pause_does_what_its_timeout_says(account, action, verdict):
    expiring = BEFORE_TRAFFIC | {"timeoutConfiguration": {"timeoutInMinutes": 1, "action": action}}

    arn = account.release("1.4.1", **blue_green(lifecycleHooks=[expiring]))
    done = account.finished(arn)

    assert done["status"] == verdict
    assert done["lifecycleHookDetails"][0]["status"] == "TIMED_OUT"
    assert done["lifecycleHookDetails"][0]["expiresAt"] < datetime.now(UTC)


def nothing_can_be_placed(account):
    account.control("POST", "faults", {"fault": "placement-failure"})
    return partial(account.control, "DELETE", "faults")


def nothing_may_be_stopped(account):
    tasks = account.ecs.list_tasks(cluster="production", serviceName="news-api")["taskArns"]
    protect = partial(account.ecs.update_task_protection, cluster="production", tasks=tasks)
    protect(protectionEnabled=True)
    return partial(protect, protectionEnabled=False)


def nothing_holds_it(account):
    return lambda: None


@pytest.mark.parametrize(
    ("stage", "hold", "strategy"),
    [
        ("SCALE_UP", nothing_can_be_placed, blue_green()),
        ("PRODUCTION_TRAFFIC_SHIFT", nothing_holds_it, canary(minutes=600)),
        ("BAKE_TIME", nothing_holds_it, blue_green(bakeTimeInMinutes=600)),
        ("CLEAN_UP", nothing_may_be_stopped, blue_green()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_stop_rolls_back_from_a_stage_that_does_not_pause(account, stage, hold, strategy):
    before = account.version()
    let_go = hold(account)
    arn = account.release("1.4.1" if before == "1.4.0" else "1.4.0", **strategy)

    account.at_stage(arn, stage)
    account.stop_deployment(arn)
    let_go()
    done = account.finished(arn)

    assert done["status"] == "ROLLBACK_SUCCESSFUL"
    assert weight(done) == 0.0
    assert done["sourceServiceRevisions"][0]["requestedProductionTrafficWeight"] == 100.0
    assert account.version() == before
    wait_until(account.steady)


def test_stop_of_a_deployment_that_rolls_back_already_just_continues(account):
    known = account.ecs.list_tasks(cluster="production", serviceName="news-api")["taskArns"]
    arn = account.release("1.4.1", **blue_green(lifecycleHooks=[BEFORE_TRAFFIC]))
    account.waiting_hook(arn)
    tasks = account.ecs.list_tasks(cluster="production", serviceName="news-api")["taskArns"]

    with Readers(account), account.protected([task for task in tasks if task not in known]):
        account.stop_deployment(arn)
        account.stop_deployment(arn)

    assert account.finished(arn)["status"] == "ROLLBACK_SUCCESSFUL"


def test_stop_of_a_finished_deployment_is_a_conflict(account):
    arn = account.release("1.4.1", **blue_green())
    account.finished(arn)

    with pytest.raises(account.ecs.exceptions.ConflictException):
        account.stop_deployment(arn)


def test_continue_of_an_answered_hook_is_refused(account):
    arn = account.release("1.4.1", **blue_green(lifecycleHooks=[BEFORE_TRAFFIC]))
    hook = account.waiting_hook(arn)
    account.resume(arn, hook)

    with pytest.raises(account.ecs.exceptions.InvalidParameterException):
        account.resume(arn, hook)

    assert account.finished(arn)["status"] == "SUCCESSFUL"


def test_the_circuit_breaker_of_a_rolling_deployment_rolls_back(account):
    breaker = {"enable": True, "rollback": True}

    arn = account.release(
        "9.9.9", name="news-ingest", strategy="ROLLING", deploymentCircuitBreaker=breaker
    )
    done = account.finished(arn)

    assert done["status"] == "ROLLBACK_SUCCESSFUL"
    assert done["statusReason"] == (
        "Service deployment rolled back because the circuit breaker threshold was exceeded."
    )
    assert done["deploymentCircuitBreaker"]["status"] == "TRIGGERED"


def test_a_circuit_breaker_without_rollback_stops_the_deployment(account):
    breaker = {"enable": True, "rollback": False}

    arn = account.release(
        "9.9.9", name="news-ingest", strategy="ROLLING", deploymentCircuitBreaker=breaker
    )
    done = account.finished(arn)

    assert done["status"] == "STOPPED"
    good = account.release("1.4.1", name="news-ingest", strategy="ROLLING")
    assert account.finished(good)["status"] == "SUCCESSFUL"


def test_a_newer_deployment_supersedes_the_one_in_flight(account):
    earlier = account.release("1.4.1", **blue_green(lifecycleHooks=[BEFORE_TRAFFIC]))
    account.waiting_hook(earlier)

    later = account.release("1.4.0", **blue_green())

    assert account.finished(earlier)["status"] == "ROLLBACK_SUCCESSFUL"
    assert "newer service deployment" in account.deployment(earlier)["statusReason"]
    assert account.finished(later)["status"] == "SUCCESSFUL"
    assert account.version() == "1.4.0"


def test_the_same_task_definition_starts_no_deployment_unless_forced(account):
    current = account.service()["taskDefinition"]
    newest = account.newest_deployment()

    account.ecs.update_service(cluster="production", service="news-api", taskDefinition=current)
    account.ecs.update_service(
        cluster="production",
        service="news-api",
        forceNewDeployment=True,
        deploymentConfiguration=blue_green(),
    )

    forced = account.deployment_after(newest)
    done = account.finished(forced)
    again = account.ecs.list_service_deployments(cluster="production", service="news-api")
    assert done["status"] == "SUCCESSFUL"
    assert [each["serviceDeploymentArn"] for each in again["serviceDeployments"][:2]] == [
        forced,
        newest,
    ]


def test_the_services_classic_deployments_show_both_revisions_during_a_release(account):
    arn = account.release("1.4.1", **blue_green(lifecycleHooks=[BEFORE_TRAFFIC]))
    account.waiting_hook(arn)

    during = account.service()
    account.stop_deployment(arn)
    account.finished(arn)

    assert [d["status"] for d in during["deployments"]] == ["PRIMARY", "ACTIVE"]
    assert [d["rolloutState"] for d in during["deployments"]] == ["IN_PROGRESS", "COMPLETED"]
    assert [d["runningCount"] for d in during["deployments"]] == [2, 2]
    assert during["currentServiceDeployment"] == arn
    assert "currentServiceDeployment" not in account.service()


def test_desired_count_scales_the_running_revision_without_a_deployment(account):
    listed = account.ecs.list_service_deployments(cluster="production", service="news-api")

    with account.scaling_suspended():
        account.ecs.update_service(cluster="production", service="news-api", desiredCount=3)
        wait_until(lambda: account.service()["runningCount"] == 3)
        account.ecs.update_service(cluster="production", service="news-api", desiredCount=2)
        wait_until(lambda: account.service()["runningCount"] == 2)

    again = account.ecs.list_service_deployments(cluster="production", service="news-api")
    assert again["serviceDeployments"] == listed["serviceDeployments"]


@pytest.fixture
def alarm(account):
    """A CloudWatch alarm whose state the test sets."""
    cloudwatch = account.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="news-api-5xx",
        Namespace="Tests",
        MetricName="NeverPublished",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )

    def set_state(value):
        cloudwatch.set_alarm_state(AlarmName="news-api-5xx", StateValue=value, StateReason="test")

    set_state("OK")
    yield set_state
    cloudwatch.delete_alarms(AlarmNames=["news-api-5xx"])


WATCHED = {"alarmNames": ["news-api-5xx"], "enable": True, "rollback": True}


def test_a_deployment_alarm_that_goes_off_rolls_back(account, alarm):
    arn = account.release("1.4.1", **canary(minutes=200, alarms=WATCHED))
    wait_until(lambda: weight(account.deployment(arn)) == 10.0)

    alarm("ALARM")
    done = account.finished(arn)

    assert done["status"] == "ROLLBACK_SUCCESSFUL"
    assert done["statusReason"] == (
        "Service deployment rolled back because of one or more active alarms."
    )
    assert done["rollback"]["reason"] == f"{done['statusReason']} news-api-5xx"
    assert done["alarms"] == {
        "status": "TRIGGERED",
        "alarmNames": ["news-api-5xx"],
        "triggeredAlarmNames": ["news-api-5xx"],
    }


def test_alarms_that_ring_before_the_deployment_starts_are_ignored(account, alarm):
    alarm("ALARM")

    done = account.finished(account.release("1.4.1", **blue_green(alarms=WATCHED)))

    assert done["status"] == "SUCCESSFUL"
    assert done["alarms"]["status"] == "DISABLED"
