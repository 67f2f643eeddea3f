"""ECS's operations through boto3: each answer has the model's shape, each refusal its name."""

from __future__ import annotations

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from sandbox.ecs.api import Ecs
from sandbox.ecs.not_served import NAMES
from tests.sandbox.account import wait_until
from tests.sandbox.contract import MODELS, checked

WHERE = {"cluster": "production", "service": "news-api"}


def refusal(call, **parameters):
    """The name and the sentence of the error a call ends with."""
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def network(account):
    return account.service()["networkConfiguration"]


@pytest.fixture
def side_service(account):
    """A service without load balancer in a cluster of its own; deleted with it afterwards."""
    checked(account.ecs, "CreateCluster", clusterName="side", tags=[{"key": "a", "value": "b"}])
    created = checked(
        account.ecs,
        "CreateService",
        cluster="side",
        serviceName="worker",
        taskDefinition="news-ingest",
        desiredCount=1,
        clientToken="once",
        networkConfiguration=network(account),
    )["service"]
    wait_until(lambda: account.steady("side", "worker"))
    yield created
    if account.service("side", "worker")["status"] == "ACTIVE":
        account.ecs.delete_service(cluster="side", service="worker", force=True)
    wait_until(lambda: account.service("side", "worker")["status"] == "INACTIVE")
    checked(account.ecs, "DeleteCluster", cluster="side")


def test_a_service_is_created_once_for_a_token_and_deleted_to_its_last_task(account, side_service):
    same = {
        "cluster": "side",
        "serviceName": "worker",
        "taskDefinition": "news-ingest",
        "networkConfiguration": network(account),
    }

    again = account.ecs.create_service(**same, clientToken="once")["service"]
    other = refusal(account.ecs.create_service, **same)
    full = refusal(account.ecs.delete_cluster, cluster="side")
    busy = refusal(account.ecs.delete_service, cluster="side", service="worker")
    forever = refusal(account.ecs.create_service, **same | {"serviceName": "no-count"})
    spaced = refusal(account.ecs.create_service, **same | {"serviceName": "a b", "desiredCount": 0})
    draining = checked(account.ecs, "DeleteService", cluster="side", service="worker", force=True)[
        "service"
    ]
    wait_until(lambda: account.service("side", "worker")["status"] == "INACTIVE")
    changed = refusal(account.ecs.update_service, cluster="side", service="worker")
    gone = refusal(account.ecs.delete_service, cluster="side", service="worker")

    assert again["serviceArn"] == side_service["serviceArn"]
    assert other == ("InvalidParameterException", "Creation of service was not idempotent.")
    assert full[0] == "ClusterContainsServicesException"
    assert (
        busy[1] == "The service cannot be stopped while the primary deployment is scaled above 0."
    )
    assert (draining["status"], draining["desiredCount"]) == ("DRAINING", 0)
    assert changed[0] == "ServiceNotActiveException"
    assert gone[0] == "ServiceNotFoundException"
    assert {forever[0], spaced[0]} == {"InvalidParameterException"}
    assert account.ecs.list_services(cluster="side")["serviceArns"] == []


def test_tags_are_set_read_and_removed(account, side_service):
    arn = side_service["serviceArn"]

    checked(account.ecs, "TagResource", resourceArn=arn, tags=[{"key": "team", "value": "x"}])
    tagged = checked(account.ecs, "ListTagsForResource", resourceArn=arn)["tags"]
    checked(account.ecs, "UntagResource", resourceArn=arn, tagKeys=["team"])

    assert tagged == [{"key": "team", "value": "x"}]
    assert account.ecs.list_tags_for_resource(resourceArn=arn)["tags"] == []
    missing = refusal(account.ecs.tag_resource, resourceArn=arn + "0", tags=[])
    reserved = refusal(account.ecs.tag_resource, resourceArn=arn, tags=[{"key": "aws:x"}])
    many = [{"key": str(number), "value": ""} for number in range(51)]
    assert missing[0] == "ResourceNotFoundException"
    assert reserved[0] == "InvalidParameterException"
    assert refusal(account.ecs.tag_resource, resourceArn=arn, tags=many)[0] == (
        "LimitExceededException"
    )


def test_clusters_tell_more_when_asked(account):
    include = ["SETTINGS", "STATISTICS", "TAGS"]
    known = account.ecs.describe_clusters(clusters=["staging"], include=include)
    (before,) = known["clusters"][0]["settings"]
    checked(
        account.ecs,
        "UpdateClusterSettings",
        cluster="staging",
        settings=[{"name": "containerInsights", "value": "enabled"}],
    )

    brief = account.ecs.describe_clusters(clusters=["staging"])["clusters"][0]
    whole = checked(account.ecs, "DescribeClusters", clusters=["staging"], include=include)
    (cluster,) = whole["clusters"]
    account.ecs.update_cluster_settings(
        cluster="staging", settings=[{"name": "containerInsights", "value": before["value"]}]
    )

    assert (brief["settings"], brief["statistics"], brief["tags"]) == ([], [], [])
    assert cluster["settings"] == [{"name": "containerInsights", "value": "enabled"}]
    assert {"name": "runningFargateTasksCount", "value": "1"} in cluster["statistics"]
    wrong = [{"name": "containerInsights", "value": "perhaps"}]
    assert refusal(account.ecs.update_cluster_settings, cluster="staging", settings=wrong)[0] == (
        "InvalidParameterException"
    )


def test_the_capacity_providers_are_fargates(account):
    names = ["FARGATE", "FARGATE_SPOT", "none"]

    found = checked(account.ecs, "DescribeCapacityProviders", capacityProviders=names)

    assert [(p["name"], p["status"]) for p in found["capacityProviders"]] == [
        ("FARGATE", "ACTIVE"),
        ("FARGATE_SPOT", "ACTIVE"),
    ]
    assert [f["reason"] for f in found["failures"]] == ["MISSING"]


def test_families_are_listed_by_whether_a_revision_is_active(account):
    arn = account.ecs.register_task_definition(
        family="listed",
        cpu="1 vCPU",
        memory="2GB",
        containerDefinitions=[{"name": "a", "image": "x"}],
    )["taskDefinition"]["taskDefinitionArn"]
    sizes = account.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    active = checked(account.ecs, "ListTaskDefinitionFamilies", familyPrefix="listed")

    checked(account.ecs, "DeregisterTaskDefinition", taskDefinition=arn)
    listed = account.ecs.list_task_definition_families

    assert (sizes["cpu"], sizes["memory"], sizes["compatibilities"]) == ("1024", "2048", ["EC2"])
    assert active["families"] == ["listed"]
    assert listed(familyPrefix="listed", status="ACTIVE")["families"] == []
    assert listed(familyPrefix="listed", status="INACTIVE")["families"] == ["listed"]
    assert refusal(account.ecs.deregister_task_definition, taskDefinition="listed")[0] == (
        "InvalidParameterException"
    )


# -- one-off tasks ---------------------------------------------------------------------------------


def run_task(account, **more):
    return checked(
        account.ecs,
        "RunTask",
        **{
            "cluster": "staging",
            "taskDefinition": "news-ingest",
            "networkConfiguration": network(account),
            "startedBy": "runbook",
            **more,
        },
    )


def described(account, arn):
    return account.ecs.describe_tasks(cluster="staging", tasks=[arn])["tasks"][0]


def test_a_task_runs_once_and_looks_like_fargates(account):
    override = {"name": "news-ingest", "environment": [{"name": "A", "value": "1"}]}
    request = {
        "clientToken": "twice",
        "overrides": {"containerOverrides": [override], "cpu": "512", "memory": "1024"},
        "tags": [{"key": "why", "value": "test"}],
    }
    started = run_task(account, **request)
    again = run_task(account, **request)
    (arn,) = [task["taskArn"] for task in started["tasks"]]
    running = wait_until(
        lambda: (found := described(account, arn))["lastStatus"] == "RUNNING" and found
    )
    listed = account.ecs.list_tasks(cluster="staging", startedBy="runbook")["taskArns"]

    checked(account.ecs, "StopTask", cluster="staging", task=arn, reason="Enough")
    stopped = wait_until(
        lambda: (found := described(account, arn))["lastStatus"] == "STOPPED" and found
    )

    details = {d["name"]: d["value"] for d in running["attachments"][0]["details"]}
    assert [task["taskArn"] for task in again["tasks"]] == [arn] == listed
    assert (running["group"], running["startedBy"]) == ("family:news-ingest", "runbook")
    assert (running["cpu"], running["memory"], running["launchType"]) == ("512", "1024", "FARGATE")
    assert details["subnetId"] in network(account)["awsvpcConfiguration"]["subnets"]
    assert details["privateIPv4Address"].startswith("10.20.")
    assert running["createdAt"] <= running["pullStartedAt"] <= running["pullStoppedAt"]
    assert running["healthStatus"] == "UNKNOWN"
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "Enough")
    assert stopped["attachments"][0]["status"] == "DELETED"


@pytest.mark.parametrize(
    ("wrong", "name", "said"),
    [
        ({"networkConfiguration": {}}, "InvalidParameterException", "must be provided"),
        ({"count": 11}, "InvalidParameterException", "Count must be"),
        ({"taskDefinition": "nobody"}, "ClientException", "Unable to describe"),
        ({"cluster": "nowhere"}, "ClusterNotFoundException", "Cluster not found"),
        ({"launchType": "EC2"}, "UnsupportedFeatureException", "launchType EC2"),
        ({"platformVersion": "9.9"}, "PlatformUnknownException", "platform"),
        ({"overrides": {"cpu": "3"}}, "InvalidParameterException", "No Fargate configuration"),
        (
            {"overrides": {"containerOverrides": [{"name": "other"}]}},
            "InvalidParameterException",
            "is not a container",
        ),
        ({"enableExecuteCommand": True}, "UnsupportedFeatureException", "enableExecuteCommand"),
        (
            {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-0"]}}},
            "InvalidParameterException",
            "InvalidSubnetID.NotFound",
        ),
    ],
    ids=str,
)
def test_a_task_that_cannot_run_is_refused(account, wrong, name, said):
    right = {
        "cluster": "staging",
        "taskDefinition": "news-ingest",
        "networkConfiguration": network(account),
    }

    code, message = refusal(account.ecs.run_task, **right | wrong)

    assert code == name
    assert said in message


def test_a_protected_task_survives_scaling_in(account):
    arns = account.ecs.list_tasks(cluster="production", serviceName="news-api")["taskArns"]
    newest = max(arns, key=lambda arn: told(account, arn)["createdAt"])
    where = {"cluster": "production", "tasks": [newest, "0" * 32]}

    protected = checked(
        account.ecs, "UpdateTaskProtection", **where, protectionEnabled=True, expiresInMinutes=60
    )
    with account.scaling_suspended():
        account.ecs.update_service(**WHERE, desiredCount=1)
        wait_until(lambda: account.service()["runningCount"] == 1)
        left = account.ecs.list_tasks(cluster="production", serviceName="news-api")["taskArns"]
        seen = checked(account.ecs, "GetTaskProtection", cluster="production", tasks=[newest])
        account.ecs.update_task_protection(**where, protectionEnabled=False)
        account.ecs.update_service(**WHERE, desiredCount=2)

    assert protected["protectedTasks"][0]["expirationDate"] > told(account, newest)["createdAt"]
    assert [f["reason"] for f in protected["failures"]] == ["MISSING"]
    assert left == [newest]
    assert seen["protectedTasks"][0]["protectionEnabled"] is True
    wrong = {**where, "protectionEnabled": True, "expiresInMinutes": 2881}
    assert refusal(account.ecs.update_task_protection, **wrong)[0] == "InvalidParameterException"


def told(account, arn):
    return account.ecs.describe_tasks(cluster="production", tasks=[arn])["tasks"][0]


def test_exec_is_refused_as_it_is_where_it_is_not_enabled(account):
    (task, _) = account.ecs.list_tasks(cluster="production", serviceName="news-api")["taskArns"]

    code, message = refusal(
        account.ecs.execute_command,
        cluster="production",
        task=task,
        command="/bin/sh",
        interactive=True,
    )

    assert code == "InvalidParameterException"
    assert "execute command was not enabled" in message


def test_every_operation_is_either_served_or_refused_by_name():
    known = {xform_name(name) for name in MODELS.get_service_model("ecs").operation_names}

    assert known - NAMES == known & set(dir(Ecs))
    assert known >= NAMES


def test_what_is_not_served_is_an_unsupported_feature(account):
    code, message = refusal(account.ecs.list_services_by_namespace, namespace="x")
    sets = refusal(
        account.ecs.describe_task_sets, cluster="production", service="news-api", taskSets=[]
    )

    assert (code, "ListServicesByNamespace" in message) == ("UnsupportedFeatureException", True)
    assert sets[0] == "UnsupportedFeatureException"


# -- changing services -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]}, "UnsupportedFeature"),
        ({"serviceRegistries": [{"registryArn": "arn:x"}]}, "UnsupportedFeature"),
        ({"placementStrategy": [{"type": "random"}]}, "InvalidParameter"),
        ({"deploymentController": {"type": "EXTERNAL"}}, "UnsupportedFeature"),
        ({"platformVersion": "1.2.0"}, "PlatformUnknown"),
        ({"desiredCount": -1}, "InvalidParameter"),
        ({"taskDefinition": "news-ingest"}, "InvalidParameter"),
        ({"networkConfiguration": {"awsvpcConfiguration": {"subnets": []}}}, "InvalidParameter"),
        ({"healthCheckGracePeriodSeconds": -1}, "InvalidParameter"),
        ({"propagateTags": "SOME"}, "InvalidParameter"),
        ({"availabilityZoneRebalancing": "MAYBE"}, "InvalidParameter"),
        (
            {
                "availabilityZoneRebalancing": "ENABLED",
                "deploymentConfiguration": {"maximumPercent": 100, "minimumHealthyPercent": 0},
            },
            "InvalidParameter",
        ),
    ],
    ids=str,
)
def test_an_update_ecs_would_not_take_changes_nothing(account, wrong, name):
    before = account.service()

    code, _ = refusal(account.ecs.update_service, **WHERE, **wrong)

    assert code == f"{name}Exception"
    after = account.service()
    assert {k: after[k] for k in ("desiredCount", "taskDefinition", "deployments")} == {
        k: before[k] for k in ("desiredCount", "taskDefinition", "deployments")
    }


def test_another_network_is_a_deployment_and_the_same_is_none(account):
    subnets = network(account)["awsvpcConfiguration"]
    other = {"awsvpcConfiguration": subnets | {"subnets": subnets["subnets"][:1]}}
    fast = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0}
    before = account.newest_deployment()

    account.ecs.update_service(
        **WHERE, networkConfiguration=network(account), deploymentConfiguration=fast
    )
    same = len(account.service()["deployments"])
    account.ecs.update_service(**WHERE, networkConfiguration=other)
    arn = account.deployment_after(before)
    done = account.finished(arn)
    tasks = account.ecs.list_tasks(cluster="production", serviceName="news-api")["taskArns"]
    zones = {told(account, task)["availabilityZone"] for task in tasks}
    account.ecs.update_service(**WHERE, networkConfiguration={"awsvpcConfiguration": subnets})
    account.finished(account.deployment_after(arn))

    assert same == 1
    assert done["status"] == "SUCCESSFUL"
    assert len(zones) == 1
