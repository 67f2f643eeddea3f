"""ECS's answers: shapes, pages, limits and refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.account import PAUSE, wait_until

UNKNOWN = "arn:aws:ecs:us-east-1:123456789012:service-deployment/production/news-api/none"


def code(refused):
    return refused.value.response["Error"]["Code"]


def test_the_fresh_world_is_what_the_architecture_says(account):
    clusters = account.ecs.describe_clusters(clusters=["production", "staging"], include=["TAGS"])
    notices = {c["clusterName"]: c["tags"] for c in clusters["clusters"]}
    service = account.service()

    notice = "Sandbox: a deployment minute takes 0.5 s"
    assert notices["production"] == [{"key": "quarterdeck:notice", "value": notice}]
    assert notices["staging"] == notices["production"]
    assert {"key": "owner", "value": "news"} in service["tags"]
    assert service["loadBalancers"][0]["containerPort"] == 8000
    ingest = account.service(name="news-ingest")
    assert ingest["deploymentConfiguration"]["strategy"] == "ROLLING"
    assert "loadBalancers" not in ingest


def test_the_world_outside_ecs_has_its_names(account):
    balancers = account.client("elbv2").describe_load_balancers()["LoadBalancers"]
    groups = account.client("elbv2").describe_target_groups()["TargetGroups"]
    images = account.client("ecr").describe_images(repositoryName="news-api")["imageDetails"]
    databases = account.client("rds").describe_db_instances()["DBInstances"]
    caches = account.client("elasticache").describe_cache_clusters()["CacheClusters"]

    assert {b["LoadBalancerName"] for b in balancers} >= {"news-production", "news-staging"}
    assert {g["TargetGroupName"] for g in groups} >= {
        "news-api-blue",
        "news-api-green",
        "news-staging-blue",
        "news-staging-green",
    }
    assert {i["imageTags"][0] for i in images} >= {
        "1.4.0",
        "1.4.1",
        "1.4.2-errors",
        "1.4.3-slow",
        "1.4.4-unhealthy",
    }
    assert databases[0]["DBInstanceIdentifier"] == "news-production"
    assert caches[0]["CacheClusterId"] == "news-production-001"


def test_target_health_shows_each_task_and_what_is_not_registered(account):
    revision = account.revision(account.service()["currentServiceRevisions"][0]["arn"])
    group = revision["resolvedConfiguration"]["loadBalancers"][0]["targetGroupArn"]
    elb = account.client("elbv2")

    def healthy():
        found = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return [each for each in found if each["TargetHealth"]["State"] == "healthy"]

    found = wait_until(lambda: len(targets := healthy()) == 2 and targets)
    absent = elb.describe_target_health(
        TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": 1}]
    )

    assert {target["Target"]["Port"] for target in found} == {8000}
    assert absent["TargetHealthDescriptions"][0]["TargetHealth"]["Reason"] == "Target.NotRegistered"
    with pytest.raises(elb.exceptions.TargetGroupNotFoundException):
        elb.describe_target_health(TargetGroupArn=group + "0")


def test_service_revisions_name_image_digest_and_target_group(account):
    images = account.client("ecr").describe_images(repositoryName="news-api")["imageDetails"]
    digests = {image["imageDigest"] for image in images}

    revision = account.revision(account.service()["currentServiceRevisions"][0]["arn"])

    assert revision["containerImages"][0]["imageDigest"] in digests
    resolved = revision["resolvedConfiguration"]["loadBalancers"][0]
    assert ":targetgroup/news-api-" in resolved["targetGroupArn"]
    assert ":listener-rule/app/news-production/" in resolved["productionListenerRule"]


def test_an_image_named_by_digest_runs(account):
    images = account.client("ecr").describe_images(repositoryName="news-api")["imageDetails"]
    digest = next(i["imageDigest"] for i in images if i["imageTags"] == ["1.4.1"])
    known = account.ecs.describe_task_definition(taskDefinition="news-api")["taskDefinition"]
    container = known["containerDefinitions"][0]
    container["image"] = container["image"].rsplit(":", 1)[0] + f"@{digest}"
    definition = account.ecs.register_task_definition(
        family="by-digest",
        cpu="512",
        memory="1024",
        networkMode="awsvpc",
        executionRoleArn=known["executionRoleArn"],
        containerDefinitions=[container],
    )["taskDefinition"]["taskDefinitionArn"]

    account.ecs.update_service(
        cluster="production",
        service="news-api",
        taskDefinition=definition,
        deploymentConfiguration={"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0},
    )

    assert account.finished(account.deployment_of(definition))["status"] == "SUCCESSFUL"
    assert account.version() == "1.4.1"


# -- lists and pages -----------------------------------------------------------------------------


def test_deployments_are_listed_newest_first_by_page_status_and_time(account):
    for tag in ("1.4.0", "1.4.1"):
        account.finished(account.release(tag, name="news-ingest", strategy="ROLLING"))
    where = {"cluster": "production", "service": "news-ingest"}
    listed = account.ecs.list_service_deployments

    everything = listed(**where)["serviceDeployments"]
    first = listed(**where, maxResults=1)
    second = listed(**where, maxResults=1, nextToken=first["nextToken"])
    created = everything[0]["createdAt"]
    recent = listed(**where, createdAt={"after": created - timedelta(milliseconds=1)})
    older = listed(**where, createdAt={"before": created - timedelta(milliseconds=1)})
    failed = listed(**where, status=["IN_PROGRESS"])

    assert everything == sorted(everything, key=lambda d: d["createdAt"], reverse=True)
    assert first["serviceDeployments"] + second["serviceDeployments"] == everything[:2]
    assert recent["serviceDeployments"] == everything[:1]
    assert older["serviceDeployments"] == everything[1:]
    assert failed["serviceDeployments"] == []
    assert created <= datetime.now(UTC)


def test_a_foreign_page_token_is_refused(account):
    with pytest.raises(account.ecs.exceptions.InvalidParameterException):
        account.ecs.list_service_deployments(
            cluster="production", service="news-api", nextToken="aGVsbG8="
        )


def test_services_tasks_and_task_definitions_come_in_pages(account):
    services = account.ecs.get_paginator("list_services").paginate(
        cluster="production", PaginationConfig={"PageSize": 1}
    )
    tasks = account.ecs.get_paginator("list_tasks").paginate(
        cluster="production", serviceName="news-api", PaginationConfig={"PageSize": 1}
    )
    definitions = account.ecs.get_paginator("list_task_definitions").paginate(
        familyPrefix="news-ingest", PaginationConfig={"PageSize": 1}
    )

    names = [arn.rsplit("/", 1)[-1] for page in services for arn in page["serviceArns"]]
    assert names == ["news-api", "news-ingest"]
    assert [len(page["taskArns"]) for page in tasks] == [1, 1]
    assert "news-ingest:" in next(iter(definitions))["taskDefinitionArns"][0]


def test_at_most_twenty_deployments_and_revisions_and_ten_services_are_described(account):
    arns = [f"{UNKNOWN}{number}" for number in range(21)]
    refusals = (
        lambda: account.ecs.describe_service_deployments(serviceDeploymentArns=arns),
        lambda: account.ecs.describe_service_revisions(serviceRevisionArns=arns),
        lambda: account.ecs.describe_services(cluster="production", services=arns[:11]),
    )

    for call in refusals:
        with pytest.raises(account.ecs.exceptions.InvalidParameterException):
            call()


def test_what_is_unknown_is_a_failure_or_a_named_error(account):
    ecs = account.ecs

    missing = ecs.describe_service_deployments(serviceDeploymentArns=[UNKNOWN])
    services = ecs.describe_services(cluster="production", services=["news-api", "nobody"])
    clusters = ecs.describe_clusters(clusters=["nowhere"])
    tasks = ecs.describe_tasks(cluster="production", tasks=["0" * 32])

    assert missing["serviceDeployments"] == []
    assert missing["failures"] == [{"arn": UNKNOWN, "reason": "MISSING"}]
    assert [f["reason"] for f in services["failures"]] == ["MISSING"]
    assert [s["serviceName"] for s in services["services"]] == ["news-api"]
    assert clusters["failures"][0]["reason"] == "MISSING"
    assert tasks["failures"][0]["reason"] == "MISSING"
    with pytest.raises(ecs.exceptions.ServiceDeploymentNotFoundException):
        ecs.stop_service_deployment(serviceDeploymentArn=UNKNOWN)
    with pytest.raises(ecs.exceptions.ServiceDeploymentNotFoundException):
        ecs.continue_service_deployment(serviceDeploymentArn=UNKNOWN, hookId="x")
    with pytest.raises(ecs.exceptions.ClusterNotFoundException):
        ecs.list_services(cluster="nowhere")
    with pytest.raises(ecs.exceptions.ServiceNotFoundException):
        ecs.list_service_deployments(cluster="production", service="nobody")
    with pytest.raises(ecs.exceptions.ClientException):
        ecs.describe_task_definition(taskDefinition="nobody")


# -- refusals ------------------------------------------------------------------------------------

PAUSE_BEFORE = PAUSE | {"lifecycleStages": ["PRE_SCALE_UP"]}
BEFORE_TRAFFIC = PAUSE | {"lifecycleStages": ["PRE_PRODUCTION_TRAFFIC_SHIFT"]}


def breaker(**threshold):
    return {"enable": True, "rollback": True, "thresholdConfiguration": threshold}


def early(**more):
    whole = {"enable": True, "healthyPercent": 100, "sourceServiceRevisionCleanup": "BLOCKING"}
    return whole | more


def bake(minutes):
    return {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": minutes}


def canary(percent, minutes=1):
    step = {"canaryPercent": percent, "canaryBakeTimeInMinutes": minutes}
    return {"strategy": "CANARY", "canaryConfiguration": step}


def linear(percent):
    return {"strategy": "LINEAR", "linearConfiguration": {"stepPercent": percent}}


def hooked(**hook):
    return bake(0) | {"lifecycleHooks": [PAUSE_BEFORE | hook]}


@pytest.mark.parametrize(
    "configuration",
    [
        {"strategy": "BIG_BANG"},
        {"strategy": "BLUE_GREEN"},
        bake(-1),
        bake(1441),
        canary(0.05),
        canary(100.1),
        canary(10, 1441),
        linear(2.9),
        bake(0) | {"canaryConfiguration": {"canaryPercent": 10.0}},
        hooked(lifecycleStages=["TEST_TRAFFIC_SHIFT"]),
        hooked(lifecycleStages=["PRODUCTION_TRAFFIC_SHIFT"]),
        hooked(lifecycleStages=["BAKE_TIME"]),
        hooked(lifecycleStages=[]),
        hooked(timeoutConfiguration={"timeoutInMinutes": 0}),
        hooked(timeoutConfiguration={"timeoutInMinutes": 20161}),
        hooked(timeoutConfiguration={"action": "SHRUG"}),
        hooked(hookTargetArn="arn:aws:lambda:us-east-1:123456789012:function:x"),
        bake(0) | {"lifecycleHooks": [PAUSE_BEFORE] * 11},
        {"strategy": "ROLLING", "lifecycleHooks": [PAUSE | {"lifecycleStages": ["BAKE_TIME"]}]},
        {"strategy": "ROLLING", "lifecycleHooks": [BEFORE_TRAFFIC]},
        canary(0.15),
        {"strategy": "ROLLING", "deploymentCircuitBreaker": breaker(type="COUNT", value=0)},
        {"strategy": "ROLLING", "deploymentCircuitBreaker": breaker(type="SOME", value=1)},
        {"strategy": "ROLLING", "earlySuccessCriteria": early(healthyPercent=101)},
        {"strategy": "ROLLING", "earlySuccessCriteria": early(healthyPercent=50)},
        {"strategy": "ROLLING", "earlySuccessCriteria": {"enable": True}},
        bake(0) | {"earlySuccessCriteria": early()},
        {"deploymentCircuitBreaker": breaker(type="BOUNDED_PERCENT", value=101)},
        {"maximumPercent": 99},
        {"maximumPercent": 201},
        {"minimumHealthyPercent": -1},
        {"minimumHealthyPercent": 101},
        {"maximumPercent": 100, "minimumHealthyPercent": 100},
        hooked(targetType="COFFEE"),
    ],
    ids=str,
)
def test_a_deployment_configuration_ecs_would_not_take_is_refused(account, configuration):
    before = account.service()["deploymentConfiguration"]
    unchecked = account.client("ecs", parameter_validation=False)

    with pytest.raises(unchecked.exceptions.InvalidParameterException):
        unchecked.update_service(
            cluster="production", service="news-api", deploymentConfiguration=configuration
        )

    assert account.service()["deploymentConfiguration"] == before


def test_a_lambda_hook_is_an_unsupported_feature(account):
    hook = {"hookTargetArn": "arn:x", "roleArn": "arn:y", "lifecycleStages": ["PRE_SCALE_UP"]}

    with pytest.raises(account.ecs.exceptions.UnsupportedFeatureException):
        account.ecs.update_service(
            cluster="production",
            service="news-api",
            deploymentConfiguration=bake(0) | {"lifecycleHooks": [hook]},
        )


TASK = {
    "family": "refused",
    "containerDefinitions": [{"name": "a", "image": "x"}],
    "cpu": "256",
    "memory": "512",
    "networkMode": "awsvpc",
    "requiresCompatibilities": ["FARGATE"],
}
FROM_ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com/news-api:1.4.0"
MAPPED = {"portMappings": [{"containerPort": 80, "hostPort": 81}]}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"family": "bad family"}, "Family contains invalid characters"),
        ({"containerDefinitions": []}, "Container list cannot be empty"),
        ({"containerDefinitions": [{"name": "a"}]}, "should not be null or empty"),
        ({"containerDefinitions": [{"name": "a", "image": "x"}] * 2}, "names must be unique"),
        ({"containerDefinitions": [{"name": "a", "image": FROM_ECR}]}, "execution role ARN"),
        ({"containerDefinitions": [{"name": "a", "image": "x"} | MAPPED]}, "must match"),
        ({"cpu": "512", "memory": "512"}, "No Fargate configuration exists"),
        ({"cpu": "many"}, "No Fargate configuration exists"),
        ({"cpu": ""}, "execution cpu and memory"),
        ({"networkMode": "bridge"}, "only supports network mode"),
        ({"networkMode": "carrier-pigeon"}, "is not valid"),
        ({"requiresCompatibilities": ["MOON"]}, "Invalid compatibility"),
    ],
    ids=str,
)
def test_a_task_definition_ecs_would_not_take_is_refused(account, wrong, said):
    with pytest.raises(account.ecs.exceptions.ClientException, match=said):
        account.ecs.register_task_definition(**TASK | wrong)


def test_a_deregistered_task_definition_cannot_be_deployed(account):
    definition = account.register("1.4.1")
    account.ecs.deregister_task_definition(taskDefinition=definition)

    with pytest.raises(ClientError) as refused:
        account.ecs.update_service(
            cluster="production", service="news-api", taskDefinition=definition
        )

    assert code(refused) == "ClientException"


def test_a_stop_type_other_than_rollback_is_refused(account):
    arn = account.release("1.4.0", **hooked())
    account.waiting_hook(arn)

    with pytest.raises(account.ecs.exceptions.InvalidParameterException):
        account.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ABORT")


# -- tasks ---------------------------------------------------------------------------------------


def test_a_stopped_task_says_who_stopped_it_and_is_replaced(account):
    task = account.ecs.list_tasks(cluster="production", serviceName="news-api")["taskArns"][0]

    account.ecs.stop_task(cluster="production", task=task, reason="Checking the replacement")
    stopped = wait_until(lambda: stopped_task(account, task))
    wait_until(account.steady)

    assert stopped["stoppedReason"] == "Checking the replacement"
    assert stopped["stopCode"] == "UserInitiated"
    assert stopped["containers"][0]["exitCode"] == 0
    running = account.ecs.list_tasks(cluster="production", serviceName="news-api")["taskArns"]
    assert len(running) == 2
    assert task not in running


def test_a_killed_task_is_replaced_and_shows_exit_code_137(account):
    task = account.ecs.list_tasks(cluster="production", serviceName="news-api")["taskArns"][0]

    account.control("POST", f"tasks/{task.rsplit('/', 1)[-1]}/kill", {})
    stopped = wait_until(lambda: stopped_task(account, task))
    wait_until(lambda: account.service()["runningCount"] == 2)

    assert stopped["stoppedReason"] == "Essential container in task exited"
    assert stopped["stopCode"] == "EssentialContainerExited"
    assert stopped["containers"][0]["exitCode"] == 137
    assert "reason" not in stopped["containers"][0]
    messages = [event["message"] for event in account.service()["events"]]
    assert any("has started 1 tasks" in message for message in messages)


def stopped_task(account, arn):
    task = account.ecs.describe_tasks(cluster="production", tasks=[arn])["tasks"][0]
    return task if task["lastStatus"] == "STOPPED" else None
