"""A workflow's token opens the roles that trust it, and no other token opens any."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.sandbox.account import LIMIT
from tests.sandbox.contract import checked
from tests.sandbox.security.asking import ACCOUNT, DEPLOY, IMAGES


def issuer(account, path, order=None):
    """What the issuer answers to GET, or to POST with an order."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{account.port}/_oidc/{path}",
        None if order is None else json.dumps(order).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=LIMIT) as response:
        return json.load(response)


def assume(account, role, token):
    return checked(
        account.client("sts"),
        "AssumeRoleWithWebIdentity",
        RoleArn=role,
        RoleSessionName="job-311",
        WebIdentityToken=token,
    )


@pytest.mark.parametrize(
    ("role", "order"),
    [
        (DEPLOY, {}),
        (DEPLOY, {"event_name": "pull_request"}),
        (DEPLOY, {"ref": "refs/tags/1.4.1"}),
        (IMAGES, {"environment": "production"}),
        (IMAGES, {"environment": "production", "subject": "immutable"}),
    ],
    ids=str,
)
def test_a_token_opens_the_roles_that_trust_its_subject(account, role, order):
    answer = assume(account, role, issuer(account, "token", order)["value"])

    name = role.rpartition("/")[2]
    assert answer["AssumedRoleUser"]["Arn"].endswith(f":assumed-role/{name}/job-311")
    assert answer["Audience"] == "sts.amazonaws.com"


@pytest.mark.parametrize(
    ("role", "order", "code"),
    [
        (IMAGES, {}, "AccessDenied"),
        (IMAGES, {"environment": "staging"}, "AccessDenied"),
        (DEPLOY, {"subject": "immutable"}, "AccessDenied"),
        (DEPLOY, {"claims": {"sub": "repo:acme-evil/news:ref:refs/heads/main"}}, "AccessDenied"),
        (DEPLOY + "x", {}, "AccessDenied"),
        (DEPLOY, {"audience": "https://github.com/acme"}, "InvalidIdentityToken"),
        (DEPLOY, {"wrong_key": True}, "InvalidIdentityToken"),
        (DEPLOY, {"claims": {"iss": "https://tokens.example"}}, "InvalidIdentityToken"),
        (DEPLOY, {"claims": {"sub": None}}, "InvalidIdentityToken"),
        (DEPLOY, {"claims": {"nbf": 4102444800}}, "InvalidIdentityToken"),
        (DEPLOY, {"claims": {"iat": "yesterday"}}, "InvalidIdentityToken"),
        (DEPLOY, {"claims": {"exp": -1e18}}, "InvalidIdentityToken"),
        (DEPLOY, {"claims": {"exp": 1e300}}, "InvalidIdentityToken"),
        (DEPLOY, {"expires_in": -1}, "ExpiredTokenException"),
    ],
    ids=str,
)
def test_any_other_token_opens_nothing(account, role, order, code):
    token = issuer(account, "token", order)["value"]

    with pytest.raises(ClientError) as refused:
        assume(account, role, token)

    assert refused.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("spoilt", ["", "nonsense", "signature", "algorithm"])
def test_a_token_that_somebody_changed_opens_nothing(account, spoilt):
    token = issuer(account, "token")["value"]
    header, claims, signature = token.split(".")
    none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
    spoil = {
        "": f"{header}.{claims}",
        "nonsense": "nonsense",
        "signature": f"{header}.{claims}.{signature[::-1]}",
        "algorithm": f"{none}.{claims}.{signature}",
    }

    with pytest.raises(ClientError) as refused:
        assume(account, DEPLOY, spoil[spoilt])

    assert refused.value.response["Error"]["Code"] == "InvalidIdentityToken"


def test_the_issuer_is_discovered_by_openid_connect(account):
    found = issuer(account, ".well-known/openid-configuration")
    with urllib.request.urlopen(found["jwks_uri"], timeout=LIMIT) as response:
        keys = json.load(response)["keys"]

    assert found["issuer"] == "https://token.actions.githubusercontent.com"
    assert found["id_token_signing_alg_values_supported"] == ["RS256"]
    assert [key["kty"] for key in keys] == ["RSA"]


def test_the_issuer_answers_on_loopback_names_only(account):
    url = f"http://127.0.0.1:{account.port}/_oidc/token"

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(url, headers={"Host": "evil.example"}))

    refused.value.close()
    assert refused.value.code == 403


def test_an_order_the_issuer_does_not_know_is_refused(account):
    with pytest.raises(urllib.error.HTTPError) as refused:
        issuer(account, "token", {"colour": "blue"})

    refused.value.close()
    assert refused.value.code == 400


def test_whoever_assumed_a_role_is_that_role(account):
    given = assume(account, DEPLOY, issuer(account, "token")["value"])["Credentials"]
    sts = boto3.client(
        "sts",
        endpoint_url=f"http://127.0.0.1:{account.port}",
        region_name="us-east-1",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )

    assert sts.get_caller_identity()["Arn"].endswith(":assumed-role/github-deploy/job-311")
    stranger = account.client("sts").get_caller_identity()
    assert stranger["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/sandbox"
