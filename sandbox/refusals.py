"""How AWS words a refusal in each protocol: throttling, access, credentials, clock.

Codes and texts are those of AWS's "Common errors" pages and of the IAM user guide ("Troubleshoot
access denied error messages"); EC2 and S3 (rest-xml) have their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sandbox import clock
from sandbox.errors import AwsError
from sandbox.names import CALLER

WINDOW = timedelta(minutes=5)
_STAMP = "%Y%m%dT%H%M%SZ"
# IAM's service prefix where it is not botocore's service name.
_PREFIXES = {"elbv2": "elasticloadbalancing"}

# By protocol: the error's code, its status, and its own words where the protocol has some.
_Words = Mapping[str, tuple[str, int, str]]
_NO_OPERATION: _Words = {
    "json": ("UnknownOperationException", 400, ""),
    "rest-json": ("UnknownOperationException", 404, ""),
    "query": ("InvalidAction", 400, ""),
    "ec2": ("InvalidAction", 400, "The action {} is not valid for this web service."),
    "rest-xml": ("MethodNotAllowed", 405, ""),
}
_THROTTLED: _Words = {
    "json": ("ThrottlingException", 400, ""),
    "rest-json": ("ThrottlingException", 429, ""),
    "query": ("Throttling", 400, ""),
    "ec2": ("RequestLimitExceeded", 503, "Request limit exceeded."),
    "rest-xml": ("SlowDown", 503, "Please reduce your request rate."),
}
_DENIED: _Words = {
    "json": ("AccessDeniedException", 400, ""),
    "rest-json": ("AccessDeniedException", 403, ""),
    "query": ("AccessDenied", 403, ""),
    "ec2": ("UnauthorizedOperation", 403, "You are not authorized to perform this operation. {}"),
    "rest-xml": ("AccessDenied", 403, ""),
}
_EXPIRED: _Words = {
    "json": ("ExpiredTokenException", 400, ""),
    "rest-json": ("ExpiredTokenException", 403, ""),
    "query": ("ExpiredToken", 403, ""),
    "ec2": ("RequestExpired", 400, "Request has expired."),
    "rest-xml": ("ExpiredToken", 400, "The provided token has expired."),
}
_UNKNOWN: _Words = {
    "json": ("UnrecognizedClientException", 400, ""),
    "rest-json": ("UnrecognizedClientException", 403, ""),
    "query": ("InvalidClientTokenId", 403, ""),
    "ec2": ("AuthFailure", 401, "AWS was not able to validate the provided access credentials"),
    "rest-xml": (
        "InvalidAccessKeyId",
        403,
        "The AWS Access Key Id you provided does not exist in our records.",
    ),
}
_OUT_OF_TIME: _Words = {
    "json": ("InvalidSignatureException", 400, ""),
    "rest-json": ("InvalidSignatureException", 403, ""),
    "query": ("SignatureDoesNotMatch", 403, ""),
    "ec2": ("RequestExpired", 400, "Request has expired."),
    "rest-xml": (
        "RequestTimeTooSkewed",
        403,
        "The difference between the request time and the current time is too large.",
    ),
}


@dataclass(frozen=True)
class Arrival:
    """A request as faults see it; `signed_at` is its X-Amz-Date, None without one.

    `version` is the API version that a query request names; an `operation` without a name is "".
    """

    service: str
    operation: str
    protocol: str
    access_key: str = ""
    signed_at: datetime | None = None
    version: str = ""

    @property
    def form(self) -> str:
        """Whose shape an error has: the protocol's, but for S3's own."""
        return "s3" if self.service == "s3" else self.protocol


def signed_at(text: str) -> datetime | None:
    """X-Amz-Date (`20261122T101500Z`) as a moment, None when it is not one."""
    try:
        return datetime.strptime(text, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def unknown_operation(arrival: Arrival) -> AwsError:
    """The service has no operation of this name, or not in this version of its API."""
    named = f"Could not find operation {arrival.operation}".rstrip()
    if arrival.protocol in ("query", "ec2"):
        if not arrival.operation:
            message = "The request is missing an action or a required parameter."
            return AwsError("MissingAction", message)
        named += f" for version {arrival.version or 'NO_VERSION_SPECIFIED'}"
    named = arrival.operation if arrival.protocol == "ec2" else named
    return _worded(_NO_OPERATION, arrival, named)


def wrong_scope(arrival: Arrival) -> AwsError:
    """The signature is for a service that AWS does not have."""
    return _worded(_OUT_OF_TIME, arrival, "Credential should be scoped to a valid service.")


def not_served(arrival: Arrival) -> AwsError:
    """AWS has the operation; neither the sandbox nor moto does."""
    message = f"The sandbox does not support {arrival.service}:{arrival.operation}."
    return AwsError("InvalidAction", message, 501)


def throttled(arrival: Arrival) -> AwsError:
    """Too many calls."""
    return _worded(_THROTTLED, arrival, "Rate exceeded")


def server_error(status: int) -> AwsError:
    """AWS's own failure: 503 is ServiceUnavailable, everything else InternalFailure."""
    if status == 503:
        message = "The request has failed due to a temporary failure of the server."
        return AwsError("ServiceUnavailable", message, status)
    message = "The request processing has failed because of an unknown error, exception or failure."
    return AwsError("InternalFailure", message, status)


def denied(arrival: Arrival, *, explicit: bool) -> AwsError:
    """No policy of the caller allows the action, or (`explicit`) one of them denies it."""
    action = f"{_PREFIXES.get(arrival.service, arrival.service)}:{arrival.operation}"
    why = (
        "with an explicit deny in an identity-based policy"
        if explicit
        else f"because no identity-based policy allows the {action} action"
    )
    message = f"User: {CALLER} is not authorized to perform: {action} on resource: * {why}"
    return _worded(_DENIED, arrival, message)


def expired_credentials(arrival: Arrival) -> AwsError:
    """The session's credentials are past their time."""
    return _worded(_EXPIRED, arrival, "The security token included in the request is expired")


def unknown_credentials(arrival: Arrival) -> AwsError:
    """The access key does not exist (any more)."""
    return _worded(_UNKNOWN, arrival, "The security token included in the request is invalid.")


def out_of_window(arrival: Arrival) -> bool:
    """Whether the request was signed more than five minutes off the sandbox's clock."""
    return arrival.signed_at is not None and abs(clock.now() - arrival.signed_at) > WINDOW


def out_of_time(arrival: Arrival) -> AwsError:
    """The signature's time is outside of the window."""
    now = clock.now()
    signed = arrival.signed_at or now
    if signed < now:
        edge, sign, word = now - WINDOW, "-", "expired: {} is now earlier than {}"
    else:
        edge, sign, word = now + WINDOW, "+", "not yet current: {} is still later than {}"
    told = word.format(f"{signed:{_STAMP}}", f"{edge:{_STAMP}}")
    return _worded(_OUT_OF_TIME, arrival, f"Signature {told} ({now:{_STAMP}} {sign} 5 min.)")


def _worded(words: _Words, arrival: Arrival, message: str) -> AwsError:
    code, status, own = words.get(arrival.protocol, words["json"])
    return AwsError(code, own.format(message) if own else message, status)
