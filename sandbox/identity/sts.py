"""STS: roles for GitHub's tokens, after really verifying them."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sandbox import clock
from sandbox.errors import AwsError
from sandbox.estate.policies import OIDC_HOST
from sandbox.honesty import our_reading, simplified
from sandbox.identity import jwt, principals
from sandbox.identity.evaluator import ALLOWED, Policy, Request, decide
from sandbox.identity.issuer import Issuer
from sandbox.names import ACCOUNT

Answer = dict[str, Any]
InMoto = Callable[[Callable[[], Any]], Awaitable[Any]]
_ACTION = "sts:AssumeRoleWithWebIdentity"
# STS's allowance for clocks that differ, in seconds.
_LEEWAY = 300
_YEAR_10000 = 253_402_300_800
# The claims of GitHub that IAM lets trust policies ask for, besides aud and sub.
_GITHUB_CLAIMS = (
    "actor",
    "actor_id",
    "enterprise_id",
    "environment",
    "job_workflow_ref",
    "ref",
    "repository",
    "repository_id",
    "workflow",
)


class SecurityTokens:
    """AssumeRoleWithWebIdentity; the rest of STS is moto's."""

    def __init__(self, in_moto: InMoto, issuer: Issuer) -> None:
        self._in_moto = in_moto
        self._issuer = issuer

    @simplified("The only issuer is GitHub's emulation; session policies are refused.")
    @our_reading("A token that expired is refused at once, one from the future after 5 minutes.")
    async def assume_role_with_web_identity(
        self,
        RoleArn: str,
        RoleSessionName: str,
        WebIdentityToken: str,
        DurationSeconds: int = 3600,
        **refused: Any,
    ) -> Answer:
        """Temporary credentials for a token that the role's trust policy admits.

        Raises InvalidIdentityToken, ExpiredTokenException, AccessDenied, ValidationError.
        """
        if given := [name for name in refused if refused[name]]:
            raise AwsError("ValidationError", f"The sandbox does not know {', '.join(given)}.")
        await self._issuer.prepare()
        claims = await self._claims(WebIdentityToken)
        role = await self._in_moto(partial(_role, RoleArn))
        if role is None or not _admits(role["trust"], claims):
            raise AwsError("AccessDenied", f"Not authorized to perform {_ACTION}", 403)
        if not 900 <= DurationSeconds <= role["longest"]:
            message = (
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            )
            raise AwsError("ValidationError", message)
        made = await self._in_moto(partial(_assumed, RoleArn, RoleSessionName, DurationSeconds))
        expires = clock.now() + timedelta(seconds=DurationSeconds)
        return {
            "Credentials": made["credentials"] | {"Expiration": expires},
            "AssumedRoleUser": made["user"],
            "SubjectFromWebIdentityToken": claims["sub"],
            "Audience": _audiences(claims)[0],
            "Provider": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{OIDC_HOST}",
        }

    async def _claims(self, token: str) -> Mapping[str, Any]:
        """The token's claims, once everything about it is right."""
        try:
            header, claims = jwt.opened(token)
        except jwt.NotAToken as error:
            raise _invalid("The ID Token provided is not a valid JWT.") from error
        clients = await self._in_moto(partial(_clients, str(claims.get("iss", ""))))
        if clients is None:
            message = f"No OpenIDConnect provider found in your account for {claims.get('iss')}"
            raise _invalid(message)
        self._verify(token, header)
        if not set(_audiences(claims)) & set(clients):
            raise _invalid("Incorrect token audience")
        _check_times(claims)
        if not claims.get("sub"):
            raise _invalid("The ID Token provided has no subject.")
        return claims

    def _verify(self, token: str, header: Mapping[str, Any]) -> None:
        if header.get("alg") != "RS256" or header.get("kid") != self._issuer.kid:
            message = "Couldn't retrieve verification key from your identity provider"
            raise _invalid(message)
        try:
            jwt.verify(token, self._issuer.key)
        except jwt.WrongSignature as error:
            raise _invalid("The signature of the ID Token is invalid.") from error


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidIdentityToken", message)


def _audiences(claims: Mapping[str, Any]) -> list[str]:
    given = claims.get("aud", [])
    return list(given) if isinstance(given, list) else [str(given)]


def _is_moment(at: object) -> bool:
    """Whether a claim is seconds since 1970, before the year 10000."""
    return isinstance(at, int | float) and 0 <= at < _YEAR_10000


def _check_times(claims: Mapping[str, Any]) -> None:
    now = clock.time()
    expires, *begins = claims.get("exp", -1), claims.get("nbf", 0), claims.get("iat", 0)
    if not all(_is_moment(at) for at in (expires, *begins)):
        raise _invalid("The ID Token provided has no valid times.")
    if now >= expires:
        at, end = (datetime.fromtimestamp(int(t), UTC).isoformat() for t in (now, expires))
        message = (
            f"Token expired: current date/time {at} must be before the expiration date/time {end}"
        )
        raise AwsError("ExpiredTokenException", message)
    if now + _LEEWAY < max(begins):
        raise _invalid("The ID Token provided is not valid yet.")


def _clients(issuer: str) -> list[str] | None:
    """The audiences of the account's provider for an issuer, None when there is none."""
    providers = principals.iam().open_id_providers.values()
    url = issuer.removeprefix("https://").rstrip("/")
    return next((list(p.client_id_list) for p in providers if p.url.rstrip("/") == url), None)


def _role(arn: str) -> Answer | None:
    roles = principals.iam().roles.values()
    role = next((role for role in roles if role.arn == arn), None)
    if role is None:
        return None
    longest = int(role.max_session_duration or 3600)
    return {"trust": role.assume_role_policy_document, "longest": longest}


def _admits(trust: str, claims: Mapping[str, Any]) -> bool:
    context = {f"{OIDC_HOST}:sub": [str(claims["sub"])], f"{OIDC_HOST}:aud": _audiences(claims)}
    for name in _GITHUB_CLAIMS:
        if name in claims:
            context[f"{OIDC_HOST}:{name}"] = [str(claims[name])]
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{OIDC_HOST}"
    request = Request(_ACTION, "", context, provider)
    return decide([Policy("trust", "role", trust)], request).effect == ALLOWED


def _assumed(role_arn: str, session: str, seconds: int) -> Answer:
    """Let moto make the credentials, so that GetCallerIdentity knows them."""
    from sandbox.moto_adapter import backend

    made = backend("sts", ACCOUNT, "aws").assume_role_with_web_identity(
        region_name="us-east-1",
        role_session_name=session,
        role_arn=role_arn,
        policy=None,
        duration=seconds,
        external_id=None,
    )
    return {
        "credentials": {
            "AccessKeyId": made.access_key_id,
            "SecretAccessKey": made.secret_access_key,
            "SessionToken": made.session_token,
        },
        "user": {"AssumedRoleId": made.user_id, "Arn": made.arn},
    }
