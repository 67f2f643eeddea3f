"""Who the portal is to AWS."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from aws import clients
from aws.errors import required, translated

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient


@cache
def client() -> STSClient:
    return clients.make("sts")  # type: ignore[no-any-return]


def account_id() -> str:
    """Return the 12-digit id of the account that the credentials belong to.

    :raises AwsError: see `aws.errors`.
    """
    with translated("sts:GetCallerIdentity"):
        answer = client().get_caller_identity()
    return str(required(answer, "Account", "sts:GetCallerIdentity"))
