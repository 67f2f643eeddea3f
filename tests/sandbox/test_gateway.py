"""The gateway speaks AWS's protocols, refuses what AWS refuses, and fails when it is told to."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from tests.sandbox.account import LIMIT, wait_until

SIGNED = (
    "AWS4-HMAC-SHA256 Credential=test/20261122/us-east-1/{}/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64
)


def post(account, headers, body=b"{}", path="/"):
    """A raw request: status, headers, body."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{account.port}{path}", body, headers, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=LIMIT) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def test_an_unsigned_request_is_refused(account):
    target = {"X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListClusters"}

    status, _, body = post(account, target | {"Content-Type": "application/x-amz-json-1.1"})

    assert status == 403
    assert json.loads(body)["__type"] == "MissingAuthenticationToken"


@pytest.mark.parametrize("signature", ["Bearer x", "AWS4-HMAC-SHA256 Credential=a/b", "AWS4-HMAC"])
def test_a_malformed_signature_is_refused_in_the_protocol_of_the_request(account, signature):
    form = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": signature}

    status, headers, body = post(account, form, b"Action=GetCallerIdentity&Version=2011-06-15")

    assert status == 400
    assert headers["Content-Type"].startswith("text/xml")
    assert b"<Code>IncompleteSignature</Code>" in body


def test_every_answer_has_a_request_id_and_a_date(account):
    answer = account.ecs.list_clusters()["ResponseMetadata"]

    assert len(answer["RequestId"]) == 36
    assert answer["HTTPHeaders"]["date"].endswith("GMT")


def test_a_body_that_is_not_json_is_a_serialization_error(account):
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "Authorization": SIGNED.format("ecs"),
        "X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListClusters",
    }

    status, _, body = post(account, headers, b"{not json")

    assert status == 400
    assert json.loads(body)["__type"] == "SerializationException"


def test_a_missing_parameter_is_named(account):
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "Authorization": SIGNED.format("ecs"),
        "X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ContinueServiceDeployment",
    }

    status, _, body = post(account, headers, b'{"hookId": "x"}')

    assert status == 400
    assert json.loads(body)["__type"] == "InvalidParameterException"
    assert "serviceDeploymentArn" in json.loads(body)["message"]


def test_a_body_beyond_the_limit_is_refused(account):
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "Authorization": SIGNED.format("ecs"),
        "X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListClusters",
    }

    status, _, body = post(account, headers, b" " * (9 * 1024 * 1024))

    assert status == 413
    assert json.loads(body)["__type"] == "RequestEntityTooLarge"


def test_the_tail_answers_in_its_own_protocol(account):
    assert account.client("sts").get_caller_identity()["Account"] == "123456789012"
    assert account.client("sns").create_topic(Name="releases")["TopicArn"]


def test_moto_stumbling_is_a_typed_internal_failure(account):
    with pytest.raises(ClientError) as refused:
        account.client("kinesis").get_records(ShardIterator="garbage")

    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert refused.value.response["Error"]["Code"] == "InternalFailure"


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("elasticache", "TestFailover", {"ReplicationGroupId": "a", "NodeGroupId": "0001"}),
        ("compute-optimizer", "GetEC2InstanceRecommendations", {}),
        ("inspector2", "ListUsageTotals", {}),
    ],
)
def test_an_operation_nobody_implemented_is_refused_by_name(
    account, service, operation, parameters
):
    with pytest.raises(ClientError) as refused:
        getattr(account.client(service), xform_name(operation))(**parameters)

    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert refused.value.response["Error"]["Code"] == "InvalidAction"
    assert f"{service}:{operation}" in refused.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("service", "headers", "body", "status", "told"),
    [
        (
            "ecs",
            {
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": "AmazonEC2ContainerServiceV20141113.SinkShips",
            },
            b"{}",
            400,
            b'"__type":"UnknownOperationException"',
        ),
        (
            "sts",
            {"Content-Type": "application/x-www-form-urlencoded"},
            b"Action=SinkShips&Version=2011-06-15",
            400,
            b"<Code>InvalidAction</Code><Message>Could not find operation SinkShips for version 2",
        ),
        (
            "ec2",
            {"Content-Type": "application/x-www-form-urlencoded"},
            b"Action=SinkShips&Version=2016-11-15",
            400,
            b"<Code>InvalidAction</Code>",
        ),
    ],
)
def test_an_operation_aws_does_not_have_is_named_as_unknown(
    account, service, headers, body, status, told
):
    signed = headers | {"Authorization": SIGNED.format(service)}

    answered, sent, text = post(account, signed, body)

    assert answered == status
    assert told in text
    assert len(sent["x-amzn-RequestId"]) == 36


def test_an_unknown_path_of_a_rest_service_is_an_unknown_operation(account):
    headers = {"Content-Type": "application/json", "Authorization": SIGNED.format("inspector2")}

    status, sent, body = post(account, headers, b"{}", "/sink/ships")

    assert status == 404
    assert sent["x-amzn-ErrorType"] == "UnknownOperationException"
    assert json.loads(body)["__type"] == "UnknownOperationException"


def elsewhere(account, service):
    return boto3.client(
        service,
        endpoint_url=f"http://127.0.0.1:{account.port}",
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def test_another_region_of_the_account_is_empty(account):
    assert elsewhere(account, "ecs").list_clusters()["clusterArns"] == []


def test_the_bill_and_the_budgets_are_the_same_from_every_region(account):
    today = datetime.now(UTC).date()
    period = {"Start": str(today - timedelta(days=3)), "End": str(today - timedelta(days=2))}
    asked = {"TimePeriod": period, "Granularity": "DAILY", "Metrics": ["UnblendedCost"]}

    bill = elsewhere(account, "ce").get_cost_and_usage(**asked)["ResultsByTime"]
    budgets = elsewhere(account, "budgets").describe_budgets(AccountId="123456789012")["Budgets"]

    assert [day["TimePeriod"] for day in bill] == [period]
    assert budgets


def test_policies_are_simulated_from_every_region(account):
    nothing = '{"Version": "2012-10-17", "Statement": []}'

    (result,) = elsewhere(account, "iam").simulate_custom_policy(
        PolicyInputList=[nothing], ActionNames=["s3:GetObject"]
    )["EvaluationResults"]

    assert result["EvalDecision"] == "implicitDeny"


def test_the_control_api_refuses_other_host_names_and_form_posts(account):
    rebound = post(account, {"Host": "evil.example"}, b"{}", "/_sandbox/faults")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    forged = post(account, form, b"operation=UpdateService", "/_sandbox/faults")

    assert (rebound[0], forged[0]) == (403, 415)
    assert account.control("GET", "faults")["faults"] == []


# -- faults --------------------------------------------------------------------------------------


def test_a_throttled_operation_says_so_and_others_do_not(account):
    account.control("POST", "faults", {"operation": "ListClusters", "error": "ThrottlingException"})

    with pytest.raises(ClientError) as refused:
        account.ecs.list_clusters()

    assert refused.value.response["Error"] == {
        "Code": "ThrottlingException",
        "Message": "Rate exceeded",
    }
    assert account.service()["serviceName"] == "news-api"


def test_a_fault_with_a_count_wears_out(account):
    account.control("POST", "faults", {"operation": "ListClusters", "count": 1})

    with pytest.raises(ClientError):
        account.ecs.list_clusters()

    assert account.ecs.list_clusters()["clusterArns"]


def test_denied_access_uses_the_words_of_iam(account):
    account.control("POST", "faults", {"operation": "UpdateService", "kind": "access-denied"})

    with pytest.raises(account.ecs.exceptions.AccessDeniedException) as refused:
        account.ecs.update_service(cluster="production", service="news-api", desiredCount=2)

    message = refused.value.response["Error"]["Message"]
    assert message.startswith("User: arn:aws:iam::123456789012:user/sandbox is not authorized")
    assert "because no identity-based policy allows the ecs:UpdateService action" in message


def test_a_server_error_has_its_status(account):
    fault = {"operation": "DescribeRules", "error": "ServiceUnavailable", "status": 503}
    account.control("POST", "faults", fault)

    with pytest.raises(ClientError) as refused:
        account.client("elbv2").describe_rules(RuleArns=["arn:x"])

    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert refused.value.response["Error"]["Code"] == "ServiceUnavailable"


def test_a_hanging_operation_runs_into_the_clients_time_out(account):
    account.control("POST", "faults", {"operation": "ListClusters", "kind": "hang"})

    with pytest.raises(ReadTimeoutError):
        account.client("ecs", read_timeout=0.5).list_clusters()


def test_a_late_applied_operation_happens_although_the_answer_is_lost(account):
    account.control("POST", "faults", {"operation": "UpdateService", "kind": "late-apply"})

    with pytest.raises(ConnectionClosedError):
        account.ecs.update_service(cluster="staging", service="news-api", desiredCount=2)

    assert account.service("staging")["desiredCount"] == 2
    account.control("DELETE", "faults")
    account.ecs.update_service(cluster="staging", service="news-api", desiredCount=1)
    wait_until(lambda: account.steady("staging"))


def test_calls_are_counted_by_operation(account):
    account.control("DELETE", "operations")

    account.ecs.list_clusters()
    account.ecs.list_clusters()
    account.client("sts").get_caller_identity()

    assert account.control("GET", "status")["operations"] == {
        "ListClusters": 2,
        "GetCallerIdentity": 1,
    }


def test_a_fault_nobody_can_mean_is_refused(account):
    for body in ({}, {"operation": "X", "kind": "earthquake"}, {"operation": "X", "rate": "often"}):
        with pytest.raises(urllib.error.HTTPError) as refused:
            account.control("POST", "faults", body)
        refused.value.close()
        assert refused.value.code == 400
