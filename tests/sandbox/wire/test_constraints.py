"""What breaks a service's model is refused with that service's error, in the words of AWS."""

from __future__ import annotations

import botocore.session
import pytest

from sandbox.constraints import check
from sandbox.errors import AwsError

MODELS = botocore.session.get_session()


def refusal(service, operation, protocol="json", **values):
    """Code and message with which an operation refuses its parameters."""
    shape = MODELS.get_service_model(service).operation_model(operation).input_shape
    with pytest.raises(AwsError) as refused:
        check(service, protocol, values, shape)
    return refused.value.code, refused.value.message


@pytest.mark.parametrize(
    ("service", "operation", "values", "code", "constraint"),
    [
        (
            "secretsmanager",
            "GetRandomPassword",
            {"PasswordLength": 10**12},
            "InvalidParameterException",
            (
                "Value '1000000000000' at 'passwordLength' failed to satisfy constraint: "
                "Member must have value less than or equal to 4096"
            ),
        ),
        (
            "logs",
            "DescribeLogGroups",
            {"limit": 0},
            "InvalidParameterException",
            (
                "Value '0' at 'limit' failed to satisfy constraint: "
                "Member must have value greater than or equal to 1"
            ),
        ),
        (
            "application-autoscaling",
            "RegisterScalableTarget",
            {"ServiceNamespace": "ecs", "ResourceId": "", "ScalableDimension": "ecs:x"},
            "ValidationException",
            (
                "Value '' at 'resourceId' failed to satisfy constraint: "
                "Member must have length greater than or equal to 1"
            ),
        ),
        (
            "cloudwatch",
            "SetAlarmState",
            {"AlarmName": "a", "StateValue": "RED", "StateReason": "r"},
            "ValidationError",
            (
                "Value 'RED' at 'stateValue' failed to satisfy constraint: "
                "Member must satisfy enum value set: [OK, ALARM, INSUFFICIENT_DATA]"
            ),
        ),
        (
            "cloudwatch",
            "PutMetricData",
            {"Namespace": "N", "MetricData": [{"MetricName": "m"}, {}]},
            "ValidationError",
            (
                "Value null at 'metricData.2.member.metricName' failed to satisfy constraint: "
                "Member must not be null"
            ),
        ),
    ],
)
def test_the_constraint_is_told(service, operation, values, code, constraint):
    refused, message = refusal(service, operation, **values)

    assert refused == code
    assert constraint in message


def test_every_violation_is_listed():
    _, message = refusal("sts", "AssumeRole", "query", RoleSessionName="x")

    assert message.startswith("2 validation errors detected: ")
    assert message.count("failed to satisfy constraint") == 2


def test_a_secret_value_is_not_repeated():
    _, message = refusal("secretsmanager", "CreateSecret", Name="n", SecretString="")

    assert "at 'secretString'" in message
    assert "***Sensitive Data Redacted***" in message


@pytest.mark.parametrize(
    ("service", "operation", "protocol", "told"),
    [
        (
            "rds",
            "DescribeDBParameters",
            "query",
            ("MissingParameter", "The request must contain the parameter DBParameterGroupName"),
        ),
        (
            "ecs",
            "ListServiceDeployments",
            "json",
            ("InvalidParameterException", "service can not be blank."),
        ),
        (
            "ecr",
            "DescribeImages",
            "json",
            (
                "InvalidParameterException",
                (
                    "Invalid parameter at 'repositoryName' failed to satisfy constraint: "
                    "'Member must not be null'"
                ),
            ),
        ),
        (
            "iam",
            "SimulatePrincipalPolicy",
            "query",
            (
                "ValidationError",
                (
                    "2 validation errors detected: Value null at 'policySourceArn' failed to "
                    "satisfy constraint: Member must not be null; Value null at 'actionNames' "
                    "failed to satisfy constraint: Member must not be null"
                ),
            ),
        ),
    ],
)
def test_a_missing_parameter_is_told_as_the_service_tells_it(service, operation, protocol, told):
    assert refusal(service, operation, protocol) == told


def test_ecs_words_its_limits_itself():
    shape = MODELS.get_service_model("ecs").operation_model("UpdateService").input_shape

    check("ecs", "json", {"service": "s", "propagateTags": "MAYBE"}, shape)


def test_nothing_stands_for_a_number_in_a_list():
    datum = {"MetricName": "m", "Values": [1.0, None]}

    _, message = refusal("cloudwatch", "PutMetricData", Namespace="N", MetricData=[datum])

    assert "Value null at 'metricData.1.member.values.2.member'" in message
