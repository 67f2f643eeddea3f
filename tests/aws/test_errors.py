from __future__ import annotations

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from aws import errors


def refused(code, message="", status=400):
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
        },
        "UpdateService",
    )


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (refused("ThrottlingException"), errors.Throttled),
        (refused("ThrottledException"), errors.Throttled),
        (refused("AccessDeniedException"), errors.Denied),
        (refused("RequestTimeTooSkewed", status=403), errors.BadCredentials),
        (ParamValidationError(report="Unknown parameter"), errors.Refused),
        (refused("ExpiredTokenException"), errors.BadCredentials),
        (refused("InvalidSignatureException"), errors.BadCredentials),
        (refused("InvalidParameterException"), errors.Refused),
        (refused("ServerException", status=500), errors.Unreachable),
        (NoCredentialsError(), errors.BadCredentials),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:9"), errors.Unreachable),
        (ReadTimeoutError(endpoint_url="http://127.0.0.1:9"), errors.Unreachable),
    ],
)
def test_each_failure_has_its_name(raised, expected):
    with pytest.raises(errors.AwsError) as caught, errors.translated("ecs:UpdateService"):
        raise raised

    assert type(caught.value) is expected
    assert "ecs:UpdateService" in str(caught.value)


def test_the_missing_action_is_read_from_the_answer():
    text = (
        "User: arn:aws:sts::1:assumed-role/portal/x is not authorized to perform: "
        "iam:PassRole on resource: arn because no identity-based policy allows it"
    )

    with pytest.raises(errors.Denied) as caught, errors.translated("ecs:UpdateService"):
        raise refused("AccessDeniedException", text)

    assert caught.value.action == "iam:PassRole"


def test_a_missing_action_that_aws_does_not_name_is_the_one_asked_for():
    with pytest.raises(errors.Denied) as caught, errors.translated("ecs:UpdateService"):
        raise refused("AccessDenied", "no")

    assert caught.value.action == "ecs:UpdateService"


def test_a_truncated_answer_is_an_error_and_never_an_empty_list():
    with pytest.raises(errors.Unreachable, match="cut short"):
        errors.required({}, "services", "ecs:DescribeServices")


def test_a_mistake_of_our_own_keeps_its_name():
    with pytest.raises(AttributeError), errors.translated("ecs:DescribeServices"):
        errors.no_such_function()
