"""Whatever a client sends, the gateway answers in the protocol's error form and goes on."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from xml.etree import ElementTree

import pytest

from sandbox import clock, gateway
from sandbox.errors import AwsError
from sandbox.wire import Answer, error_answer

SIGNED = (
    "AWS4-HMAC-SHA256 Credential=test/20261122/us-east-1/{}/aws4_request, "
    "SignedHeaders=host, Signature=" + "0" * 64
)
ECS = {
    "Content-Type": "application/x-amz-json-1.1",
    "X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListClusters",
    "Authorization": SIGNED.format("ecs"),
}
FORM = "application/x-www-form-urlencoded"
STS = {"Content-Type": FORM, "Authorization": SIGNED.format("sts")}
INSPECTOR = {"Content-Type": "application/json", "Authorization": SIGNED.format("inspector2")}
IDENTITY = "Action=GetCallerIdentity&Version=2011-06-15"


def ask(account, headers, body=b"{}", path="/", method="POST"):
    """Status, headers and body of one request over a connection of its own."""
    connection = HTTPConnection("127.0.0.1", account.port, timeout=60)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"[]", "Start of list found where not expected"),
        (b"null", "Unexpected null"),
        (b'"x"', "Expected structure"),
        (b'{"a":', "could not be parsed"),
        (b"\xff\xfe", "could not be parsed"),
        pytest.param(b"[" * 100_000, "could not be parsed", id="deep"),
        (b'{"maxResults": NaN}', "can not be converted to an Integer"),
        (b'{"maxResults": "5"}', "STRING_VALUE can not be converted to an Integer"),
        (b'{"nextToken": "\\ud800"}', "can not be converted to a String"),
        pytest.param(gzip.compress(b"{}"), "could not be parsed", id="gzip"),
    ],
    ids=str,
)
def test_a_json_body_of_another_shape_is_a_serialization_error(account, body, told):
    status, _, answer = ask(account, ECS, body)

    assert status == 400
    assert json.loads(answer)["__type"] == "SerializationException"
    assert told in json.loads(answer)["message"]


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"maxResults": "x"}', b'{"filterCriteria": 5}'])
def test_a_rest_body_of_another_shape_is_a_serialization_error(account, body):
    status, headers, answer = ask(account, INSPECTOR, body, "/findings/list")

    assert (status, headers["x-amzn-ErrorType"]) == (400, "SerializationException")
    assert b"object has no attribute" not in answer


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_json_is_posted_or_an_unknown_operation(account, method):
    status, _, _ = ask(account, ECS, method=method)

    assert status == 400


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/json", FORM, ";;="])
def test_json_has_its_media_type_or_is_an_unknown_operation(account, media_type):
    status, _, answer = ask(account, ECS | {"Content-Type": media_type})

    assert status == 400
    assert json.loads(answer)["__type"] == "UnknownOperationException"


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ("", "MissingAction", "The request is missing an action"),
        ("Version=2011-06-15", "MissingAction", "The request is missing an action"),
        ("Action=GetCallerIdentity", "InvalidAction", "for version NO_VERSION_SPECIFIED"),
        (
            "Action=GetCallerIdentity&Version=1999-01-01",
            "InvalidAction",
            "Could not find operation GetCallerIdentity for version 1999-01-01",
        ),
        ("Action=AssumeRole&Version=2011-06-15", "ValidationError", "at 'roleArn' failed"),
        (
            "Action=AssumeRole&Version=2011-06-15&RoleArn=x&RoleSessionName=y&DurationSeconds=z",
            "MalformedInput",
            "not of its type",
        ),
    ],
)
def test_a_form_that_makes_no_sense_is_refused_in_xml(account, body, code, message):
    status, headers, answer = ask(account, STS, body)

    assert (status, headers["Content-Type"]) == (400, "text/xml")
    assert f"<Code>{code}</Code>" in answer.decode()
    assert message in answer.decode()


def test_a_service_aws_does_not_have_is_a_wrong_scope(account):
    json_answer = ask(account, ECS | {"Authorization": SIGNED.format("nosuch")})
    form_answer = ask(account, STS | {"Authorization": SIGNED.format("nosuch")}, IDENTITY)

    assert json.loads(json_answer[2])["__type"] == "InvalidSignatureException"
    assert form_answer[0] == 403
    assert b"<Code>SignatureDoesNotMatch</Code>" in form_answer[2]


@pytest.mark.parametrize(
    ("headers", "parts", "told"),
    [
        (ECS, [b'{"maxRes', b'ults": 1}'], b"nextToken"),
        (STS, [b"Action=GetCallerIdentity&", b"Version=2011-06-15"], b"<Account>123456789012<"),
        (
            STS | {"Authorization": SIGNED.format("sns")},
            [b"Action=ListTopics", b"&Version=2010-03-31"],
            b"ListTopicsResult",
        ),
    ],
    ids=["json", "form", "moto"],
)
def test_a_body_may_come_in_chunks(account, headers, parts, told):
    status, _, answer = ask(account, headers, iter(parts))

    assert status == 200
    assert told in answer


@pytest.mark.parametrize(
    "media_type", ["application/x-amz-json-1.0; charset=utf-8", "Application/X-Amz-JSON-1.0"]
)
def test_a_media_type_may_have_parameters_and_capitals(account, media_type):
    headers = {
        "Content-Type": media_type,
        "X-Amz-Target": "GraniteServiceVersion20100801.ListMetrics",
        "Authorization": SIGNED.format("monitoring"),
    }

    status, _, answer = ask(account, headers, b'{"Namespace": "nobody publishes this"}')

    assert (status, json.loads(answer)) == (200, {"Metrics": []})


def test_a_form_in_the_address_needs_no_media_type(account):
    headers = {"Authorization": SIGNED.format("monitoring")}
    query = "/?Action=ListMetrics&Version=2010-08-01&Namespace=nobody"

    status, _, answer = ask(account, headers, None, query, "GET")

    assert status == 200
    assert b"ListMetricsResult" in answer


def test_a_body_deeper_than_anyone_reads_is_refused(account):
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "AWSInsightsIndexService.GetCostAndUsage",
        "Authorization": SIGNED.format("ce"),
    }

    answers = [
        ask(account, headers, b'{"Filter": ' + b'{"Not": ' * deep + b"{}" + b"}" * (deep + 1))
        for deep in (400, 600, 800)
    ]

    assert [status for status, _, _ in answers] == [400] * 3


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_value_that_is_not_finite_is_an_invalid_parameter(account, value):
    cloudwatch = account.client("cloudwatch")

    with pytest.raises(cloudwatch.exceptions.InvalidParameterValueException):
        cloudwatch.put_metric_data(
            Namespace="Wire", MetricData=[{"MetricName": "m", "Value": float(value)}]
        )


def test_a_body_that_is_not_gzip_as_it_says_is_refused(account):
    status, _, answer = ask(account, ECS | {"Content-Encoding": "gzip"})

    assert status == 400
    assert json.loads(answer)["__type"] == "SerializationException"


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_a_body_may_be_packed(account, region):
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "Content-Encoding": "gzip",
        "X-Amz-Target": "GraniteServiceVersion20100801.ListMetrics",
        "Authorization": SIGNED.format("monitoring").replace("us-east-1", region),
    }

    status, _, answer = ask(account, headers, gzip.compress(b'{"Namespace": "nobody"}'))

    assert (status, json.loads(answer)["Metrics"]) == (200, [])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (gzip.compress(b" " * 9 * 1024 * 1024), "RequestEntityTooLarge"),
        (gzip.compress(b"{}")[:-4], "SerializationException"),
    ],
    ids=["bomb", "half"],
)
def test_a_packed_body_is_unpacked_within_limits(account, body, code):
    _, _, answer = ask(account, ECS | {"Content-Encoding": "gzip"}, body)

    assert json.loads(answer)["__type"] == code


def test_an_object_of_s3_stays_packed(account):
    s3, packed = account.client("s3"), gzip.compress(b"hello")
    s3.create_bucket(Bucket="packed-objects")

    s3.put_object(Bucket="packed-objects", Key="k", Body=packed, ContentEncoding="gzip")

    found = s3.get_object(Bucket="packed-objects", Key="k")
    assert (found["Body"].read(), found["ContentEncoding"]) == (packed, "gzip")
    s3.delete_object(Bucket="packed-objects", Key="k")
    s3.delete_bucket(Bucket="packed-objects")


def test_s3_has_error_documents_of_its_own(account):
    headers = {"Authorization": SIGNED.format("s3")}

    missing = ask(account, headers, path="/never-was", method="HEAD")
    malformed = ask(account, headers, b"<not xml", "/bucket", "PUT")

    assert missing[0] == 404
    assert malformed[0] == 400
    assert malformed[2].startswith(b"<Error>")
    assert b"<Code>MalformedXML</Code>" in malformed[2]


def test_cbor_is_refused_in_cbor(account):
    headers = {
        "Content-Type": "application/cbor",
        "smithy-protocol": "rpc-v2-cbor",
        "Authorization": SIGNED.format("monitoring"),
    }
    path = "/service/GraniteServiceVersion20100801/operation/ListMetrics"

    status, sent, answer = ask(account, headers, b"\xa0", path)

    assert (status, sent["smithy-protocol"]) == (400, "rpc-v2-cbor")
    assert b"UnknownOperationException" in answer


def test_a_presigned_url_is_as_good_as_a_header(account):
    query = (
        f"/?{IDENTITY}&X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=test%2F20261122%2Fus-east-1%2Fsts%2Faws4_request"
        f"&X-Amz-SignedHeaders=host&X-Amz-Signature={'0' * 64}"
    )

    status, _, answer = ask(account, {}, None, query, "GET")

    assert status == 200
    assert b"<Account>123456789012</Account>" in answer


@pytest.mark.parametrize(
    ("service", "method"),
    [
        ("stepfunctions", "list_state_machines"),
        ("resourcegroupstaggingapi", "get_resources"),
        ("efs", "describe_file_systems"),
        ("sesv2", "list_email_identities"),
        ("elb", "describe_load_balancers"),
    ],
)
def test_a_service_that_signs_by_another_name_is_reached(account, service, method):
    assert getattr(account.client(service), method)()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_parameter_an_operation_does_not_take_is_refused(account):
    secrets = account.client("secretsmanager")

    with pytest.raises(secrets.exceptions.InvalidParameterException) as refused:
        secrets.get_resource_policy(SecretId="news-api/database", PolicyName="readers")

    assert "does not support PolicyName" in str(refused.value)


@pytest.mark.parametrize(
    ("method", "asked"),
    [
        ("list_secrets", {"Filters": [{}]}),
        ("tag_resource", {"SecretId": "news-api/database", "Tags": [{}]}),
    ],
)
def test_a_half_said_filter_or_tag_is_refused(account, method, asked):
    secrets = account.client("secretsmanager")

    with pytest.raises(secrets.exceptions.InvalidParameterException):
        getattr(secrets, method)(**asked)


def test_an_alarm_without_an_operator_is_refused(account):
    cloudwatch = account.client("cloudwatch")

    with pytest.raises(cloudwatch.exceptions.ClientError) as refused:
        cloudwatch.put_metric_alarm(AlarmName="half-said", EvaluationPeriods=1)

    assert refused.value.response["Error"]["Code"] == "ValidationError"


def test_two_hundred_clients_at_once_are_all_answered(account):
    with ThreadPoolExecutor(200) as pool:
        answers = list(pool.map(lambda _: ask(account, ECS)[0], range(200)))

    assert answers == [200] * 200


def test_slow_and_silent_clients_keep_nobody_waiting(account):
    address = ("127.0.0.1", account.port)
    slow = [socket.create_connection(address) for _ in range(100)]
    for number, connection in enumerate(slow):
        connection.sendall(b"POST / HT" if number % 2 else b"POST / HTTP/1.1\r\nHost: x\r\nX: ")

    status, _, _ = ask(account, ECS)

    for connection in slow:
        connection.close()
    assert status == 200


def test_a_body_that_never_comes_is_given_up():
    class Silent:
        async def read(self):
            await asyncio.Event().wait()

    with pytest.raises(AwsError) as refused:
        asyncio.run(gateway._read(Silent(), patience=0.01))

    assert refused.value.code == "RequestTimeout"


def test_a_connection_outlives_refusals(account):
    connection = HTTPConnection("127.0.0.1", account.port, timeout=60)
    statuses = []
    for body in (b"{}", b"[", b"{}", b'{"maxResults": -1}', b"{}"):
        connection.request("POST", "/", body, ECS)
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()

    assert statuses == [200, 400, 200, 400, 200]


def test_the_date_of_an_answer_is_the_sandboxs(monkeypatch):
    monkeypatch.setattr(clock, "time", lambda: 86_400.0)

    response = gateway._response(Answer(200, b""), "id")

    assert response.headers["Date"] == "Fri, 02 Jan 1970 00:00:00 GMT"


def test_what_xml_cannot_hold_is_replaced_in_errors():
    answer = error_answer(AwsError("Code", "a\x00b\ud800c"), "query", "id")

    assert ElementTree.fromstring(answer.body).findtext(".//Message") == "a\ufffdb\ufffdc"
