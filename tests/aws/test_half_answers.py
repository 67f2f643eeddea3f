"""An answer that is not whole is an error: never no services, no datapoints, no cost."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from botocore.awsrequest import AWSResponse

from aws import alarms, cloudwatch, costexplorer, ecr, elbv2, sts
from aws.cloudwatch import MetricQuery
from aws.costexplorer import Question
from aws.ecs import deployments, revisions, services, stopped_tasks, task_definitions
from aws.errors import Unreachable
from tests.aws.stubs import client_of, stubbed

ARN = "arn:aws:ecs:us-east-1:123456789012:service/production/news-api"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOON_SECONDS = NOON.timestamp()

SERVICE = {
    "serviceArn": ARN,
    "serviceName": "news-api",
    "clusterArn": "arn:aws:ecs:us-east-1:123456789012:cluster/production",
    "status": "ACTIVE",
    "desiredCount": 2,
    "runningCount": 2,
    "pendingCount": 0,
}
CLUSTER = {"clusterArn": SERVICE["clusterArn"], "clusterName": "production"}
REVISION = {"serviceRevisionArn": "arn:revision", "taskDefinition": "arn:td:1"}
BRIEF = {
    "serviceDeploymentArn": "arn:deployment",
    "status": "PENDING",
    "targetServiceRevisionArn": "arn:revision",
    "createdAt": NOON_SECONDS,
}
DEPLOYMENT = {
    "serviceDeploymentArn": "arn:deployment",
    "status": "IN_PROGRESS",
    "createdAt": NOON_SECONDS,
}
TASK_DEFINITION = {
    "taskDefinitionArn": "arn:td:1",
    "family": "news-api",
    "revision": 1,
    "containerDefinitions": [{"name": "news-api", "image": "news-api:1.4.0"}],
}
IMAGE = {"imageDigest": "sha256:1", "imagePushedAt": NOON_SECONDS}
ALARM = {"AlarmName": "5xx", "StateValue": "OK"}
GROUP = {"Keys": ["Amazon ECS"], "Metrics": {"UnblendedCost": {"Amount": "1.5", "Unit": "USD"}}}
PERIOD = {"TimePeriod": {"Start": "2026-03-01", "End": "2026-03-02"}, "Groups": [GROUP]}
QUESTION = Question(date(2026, 3, 1), date(2026, 3, 2), "DAILY", ("SERVICE",), ("UnblendedCost",))
POINTS = {"Id": "q0", "StatusCode": "Complete", "Timestamps": [NOON_SECONDS], "Values": [1.0]}

_ELB = "arn:aws:elasticloadbalancing:us-east-1:123456789012"
_HEAD = '<{0}Response xmlns="http://aws"><{0}Result>'
_TAIL = "</{0}Result></{0}Response>"


def in_xml(operation, content):
    return _HEAD.format(operation) + content + _TAIL.format(operation)


def in_json(**answer):
    return json.dumps(answer)


def metrics():
    query = MetricQuery("AWS/ECS", "CPUUtilization", "Average", (("ClusterName", "production"),))
    return cloudwatch.get_metric_data([query], start=NOON, end=NOON, period=60)


def costs():
    return costexplorer.get_cost_and_usage(QUESTION, most_pages=1, charged=lambda: None)


# What is asked, through which function of which module, and a whole answer.
READS = {
    "services": (
        lambda: services.describe("production", [ARN]),
        (services, "client", "ecs"),
        in_json(services=[SERVICE], failures=[]),
    ),
    "facts": (
        lambda: deployments.service_facts(cluster="production", service="news-api"),
        (deployments, "reader", "ecs"),
        in_json(services=[SERVICE], failures=[]),
    ),
    "list of deployments": (
        lambda: deployments.list_deployments(cluster="production", service="news-api"),
        (deployments, "reader", "ecs"),
        in_json(serviceDeployments=[BRIEF]),
    ),
    "deployments": (
        lambda: deployments.describe_deployments(["arn:deployment"]),
        (deployments, "reader", "ecs"),
        in_json(serviceDeployments=[DEPLOYMENT]),
    ),
    "revisions": (
        lambda: revisions.describe_revisions(["arn:revision"]),
        (revisions, "reader", "ecs"),
        in_json(serviceRevisions=[REVISION]),
    ),
    "stopped tasks": (
        lambda: stopped_tasks.latest(cluster="production", service="news-api"),
        (stopped_tasks, "reader", "ecs"),
        in_json(taskArns=[]),
    ),
    "task definition": (
        lambda: task_definitions.describe("arn:td:1"),
        (task_definitions, "client", "ecs"),
        in_json(taskDefinition=TASK_DEFINITION),
    ),
    "alarms": (
        lambda: alarms.states(["5xx"]),
        (alarms, "client", "cloudwatch"),
        in_json(MetricAlarms=[ALARM], CompositeAlarms=[]),
    ),
    "metrics": (
        metrics,
        (cloudwatch, "client", "cloudwatch"),
        in_json(MetricDataResults=[POINTS], Messages=[]),
    ),
    "costs": (costs, (costexplorer, "client", "ce"), in_json(ResultsByTime=[PERIOD])),
    "images": (
        lambda: ecr.images("news-api"),
        (ecr, "client", "ecr"),
        in_json(imageDetails=[IMAGE]),
    ),
    "image": (
        lambda: ecr.image("news-api", "sha256:1"),
        (ecr, "client", "ecr"),
        in_json(imageDetails=[IMAGE]),
    ),
    "target groups": (
        lambda: elbv2.target_groups(["arn:blue"]),
        (elbv2, "client", "elbv2"),
        in_xml(
            "DescribeTargetGroups",
            "<TargetGroups><member><TargetGroupArn>arn:blue</TargetGroupArn>"
            "<TargetGroupName>blue</TargetGroupName></member></TargetGroups>",
        ),
    ),
    "rule": (
        lambda: elbv2.rule_weights("arn:rule"),
        (elbv2, "client", "elbv2"),
        in_xml(
            "DescribeRules",
            "<Rules><member><Actions><member><Type>forward</Type><ForwardConfig><TargetGroups>"
            "<member><TargetGroupArn>arn:blue</TargetGroupArn><Weight>100</Weight></member>"
            "</TargetGroups></ForwardConfig></member></Actions></member></Rules>",
        ),
    ),
    "target health": (
        lambda: elbv2.target_health("arn:blue"),
        (elbv2, "client", "elbv2"),
        in_xml(
            "DescribeTargetHealth",
            "<TargetHealthDescriptions><member><TargetHealth><State>healthy</State>"
            "</TargetHealth></member></TargetHealthDescriptions>",
        ),
    ),
    "account": (
        sts.account_id,
        (sts, "client", "sts"),
        in_xml("GetCallerIdentity", "<Account>123456789012</Account>"),
    ),
}


@pytest.fixture
def answering(monkeypatch):
    """Have AWS answer what is read with this body, whatever is asked."""
    bodies = {}

    def answer(source, body):
        if source not in bodies:
            module, function, service = source
            client = client_of(service)
            client.meta.events.register("before-send", lambda **_: _response(bodies[source]))
            monkeypatch.setattr(module, function, lambda: client)
        bodies[source] = body

    return answer


def _response(body):
    response = AWSResponse("http://127.0.0.1", 200, {}, None)
    response._content = body.encode()
    return response


@pytest.mark.parametrize("read", READS)
def test_an_answer_cut_anywhere_is_an_error(answering, read):
    ask, source, whole = READS[read]
    answering(source, whole)
    ask()

    for length in range(len(whole)):
        answering(source, whole[:length])
        with pytest.raises(Unreachable):
            ask()


@pytest.mark.parametrize("body", ["[]", "null", "<html>The proxy is busy.</html>", '"no"'])
@pytest.mark.parametrize("read", READS)
def test_what_is_no_answer_at_all_is_an_error(answering, read, body):
    ask, source, _ = READS[read]
    answering(source, body)

    with pytest.raises(Unreachable):
        ask()


def without(row, *path):
    """A copy of `row` without the key at the end of the path."""
    first, *rest = path
    if not rest:
        return {key: value for key, value in row.items() if key != first}
    return row | {first: without(row[first], *rest)}


@pytest.mark.parametrize(
    ("read", "answer", "row", "path"),
    [
        *(("services", "services", SERVICE, (key,)) for key in SERVICE),
        *(
            ("facts", "services", SERVICE, (key,))
            for key in ("status", "desiredCount", "runningCount", "pendingCount")
        ),
        *(("list of deployments", "serviceDeployments", BRIEF, (key,)) for key in BRIEF),
        *(("deployments", "serviceDeployments", DEPLOYMENT, (key,)) for key in DEPLOYMENT),
        *(("revisions", "serviceRevisions", REVISION, (key,)) for key in REVISION),
        *(("images", "imageDetails", IMAGE, (key,)) for key in IMAGE),
        *(("alarms", "MetricAlarms", ALARM, (key,)) for key in ALARM),
        *(("costs", "ResultsByTime", PERIOD, (key,)) for key in PERIOD),
        *(("costs", "ResultsByTime", PERIOD, ("TimePeriod", key)) for key in ("Start", "End")),
        ("metrics", "MetricDataResults", POINTS, ("Id",)),
        ("metrics", "MetricDataResults", POINTS, ("Values",)),
    ],
)
def test_a_row_without_what_aws_always_sends_is_an_error(answering, read, answer, row, path):
    ask, source, whole = READS[read]
    answering(source, json.dumps(json.loads(whole) | {answer: [without(row, *path)]}))

    with pytest.raises(Unreachable):
        ask()


@pytest.mark.parametrize("key", TASK_DEFINITION)
def test_a_task_definition_without_what_aws_always_sends_is_an_error(answering, key):
    ask, source, _ = READS["task definition"]
    answering(source, in_json(taskDefinition=without(TASK_DEFINITION, key)))

    with pytest.raises(Unreachable, match=key):
        ask()


@pytest.mark.parametrize("rows", [[None], [7]])
@pytest.mark.parametrize("read", [read for read, (_, _, whole) in READS.items() if "[{" in whole])
def test_a_row_that_is_none_is_an_error(answering, read, rows):
    ask, source, whole = READS[read]
    answering(source, json.dumps(dict.fromkeys(json.loads(whole), rows)))

    with pytest.raises(Unreachable):
        ask()


@pytest.mark.parametrize(
    "group",
    [
        without(GROUP, "Keys"),
        without(GROUP, "Metrics"),
        GROUP | {"Metrics": {"UnblendedCost": {"Unit": "USD"}}},
        GROUP | {"Metrics": {"UnblendedCost": {"Amount": "much", "Unit": "USD"}}},
    ],
)
def test_a_group_without_its_amount_costs_something_unknown(answering, group):
    ask, source, _ = READS["costs"]
    answering(source, in_json(ResultsByTime=[PERIOD | {"Groups": [group]}]))

    with pytest.raises(Unreachable):
        ask()


def test_a_bill_without_a_period_is_no_bill_of_nothing(answering):
    ask, source, _ = READS["costs"]
    answering(source, in_json(ResultsByTime=[]))

    with pytest.raises(Unreachable, match="no period"):
        ask()


def test_a_day_that_is_none_is_an_error(answering):
    ask, source, _ = READS["costs"]
    period = {"Start": "someday", "End": "2026-03-02"}
    answering(source, in_json(ResultsByTime=[PERIOD | {"TimePeriod": period}]))

    with pytest.raises(Unreachable, match="someday"):
        ask()


def test_a_moment_that_is_none_is_an_error(answering):
    ask, source, _ = READS["list of deployments"]
    answering(source, in_json(serviceDeployments=[BRIEF | {"createdAt": "yesterday"}]))

    with pytest.raises(Unreachable, match="cannot be read"):
        ask()


def test_points_of_a_series_that_nobody_asked_for_are_an_error(answering):
    ask, source, _ = READS["metrics"]
    answering(source, in_json(MetricDataResults=[POINTS | {"Id": "q7"}]))

    with pytest.raises(Unreachable):
        ask()


def test_services_that_were_listed_do_not_vanish_from_the_description(answering):
    answering((services, "client", "ecs"), in_json(services=[SERVICE], failures=[]))

    with pytest.raises(Unreachable, match="lacks services"):
        services.describe("production", [ARN, f"{ARN}-worker"])


def test_a_service_that_ecs_says_is_missing_is_left_out(answering):
    failures = [{"arn": ARN, "reason": "MISSING"}]
    answering((services, "client", "ecs"), in_json(services=[], failures=failures))

    assert services.describe("production", [ARN]) == []


def test_clusters_that_were_listed_do_not_vanish_from_the_description(monkeypatch):
    with stubbed(monkeypatch, services, "ecs") as stub:
        stub.add_response("list_clusters", {"clusterArns": ["arn:a", "arn:b"]})
        stub.add_response("describe_clusters", {"clusters": [CLUSTER], "failures": []})

        with pytest.raises(Unreachable, match="lacks clusters"):
            services.clusters()


def test_the_second_page_cut_short_is_not_the_end_of_the_list(monkeypatch):
    with stubbed(monkeypatch, services, "ecs") as stub:
        stub.add_response("list_services", {"serviceArns": [ARN], "nextToken": "more"})
        stub.add_response("list_services", {})

        with pytest.raises(Unreachable, match="serviceArns is missing"):
            services.services("production")


CHANGES = {
    "stop": lambda: deployments.stop_deployment(arn="arn:deployment"),
    "answer": lambda: deployments.continue_deployment(
        arn="arn:deployment", hook_id="hook", action="ROLLBACK"
    ),
    "update": lambda: deployments.update_service(cluster="c", service="s", configuration={}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_that_ecs_did_not_confirm_is_not_called_done(answering, change):
    answering((deployments, "changer", "ecs"), "<html>Sign in to the network</html>")

    with pytest.raises(Unreachable):
        CHANGES[change]()
