"""What can go wrong when asking AWS, in words a person can act on."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
)

_THROTTLED = {
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "BandwidthLimitExceeded",
    "SlowDown",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"}
_EXPIRED = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
}
_ACTION = re.compile(r"not authorized to perform:? ([\w-]+:\w+)")


class AwsError(Exception):
    """AWS did not do what was asked. `code` is AWS's own error code, or ours for none."""

    def __init__(self, message: str, *, code: str = "", operation: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.operation = operation


class Refused(AwsError):
    """AWS understood the request and did not carry it out. Asking again changes nothing."""


class Denied(Refused):
    """The credentials lack a permission; `action` names it, such as `ecs:UpdateService`."""

    def __init__(self, message: str, *, code: str, operation: str, action: str) -> None:
        super().__init__(message, code=code, operation=operation)
        self.action = action


class BadCredentials(Refused):
    """There are no credentials, or they are expired, unknown or wrongly signed."""


class Throttled(AwsError):
    """AWS did not carry the request out because too many were made. Try later."""


class Unreachable(AwsError):
    """No usable answer came back. A changing request may or may not have been carried out."""


class Garbled(Unreachable):
    """An answer came back that cannot be read, or that lacks what AWS always sends."""


@contextmanager
def translated(operation: str, *, denied_action: str = "") -> Iterator[None]:
    """Turn botocore's exceptions into the ones above.

    :param operation: what was asked, such as `ecs:UpdateService`; it is part of the message.
    """
    try:
        yield
    except ClientError as error:
        raise from_client_error(error, operation, denied_action or operation) from error
    except NoCredentialsError as error:
        raise BadCredentials(
            f"{operation}: no AWS credentials were found.",
            code="NoCredentials",
            operation=operation,
        ) from error
    except ParamValidationError as error:
        # botocore sent nothing, and would not the next time either.
        raise Refused(f"{operation}: {error}", operation=operation) from error
    except (HTTPClientError, BotoCoreError) as error:
        raise Unreachable(
            f"{operation}: AWS did not answer ({type(error).__name__}).", operation=operation
        ) from error
    except Exception as error:
        if not _arose_from_answer(error):
            raise
        raise Garbled(
            f"{operation}: the answer cannot be read ({type(error).__name__}).",
            operation=operation,
        ) from error


def _arose_from_answer(error: Exception) -> bool:
    """Whether botocore stumbled over an answer, in its parser or with what that returned.

    It has no common class for that: half an XML document, a list in the place of a structure and
    a moment that is none are a ResponseParserError, an AttributeError and a ValueError.
    """
    modules = [frame.f_globals["__name__"] for frame, _ in traceback.walk_tb(error.__traceback__)]
    return "botocore.parsers" in modules or modules[-1] == "botocore.endpoint"


def from_client_error(error: ClientError, operation: str, action: str) -> AwsError:
    """Return our name for a typed error of AWS."""
    code = error.response["Error"].get("Code", "")
    text = error.response["Error"].get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    message = f"{operation}: {code}: {text}"
    if code in _THROTTLED:
        return Throttled(message, code=code, operation=operation)
    if code in _DENIED:
        named = _ACTION.search(text)
        missing = named[1] if named else action
        return Denied(
            f"{operation}: the credentials lack the permission {missing}.",
            code=code,
            operation=operation,
            action=missing,
        )
    if code in _EXPIRED:
        return BadCredentials(
            f"{operation}: AWS does not accept the credentials ({code}). "
            "Are they expired, or is this machine's clock wrong?",
            code=code,
            operation=operation,
        )
    if status >= 500:
        return Unreachable(message, code=code, operation=operation)
    return Refused(message, code=code, operation=operation)


def required(answer: Any, name: str, operation: str) -> Any:
    """Return a key that AWS always sends, of an answer or of a row in one.

    botocore turns a truncated JSON body into an empty answer without an error, so a missing key
    is a broken answer, never an empty list, no tasks or no cost.

    :raises Garbled: if the key is missing.
    """
    found = answer.get(name) if isinstance(answer, Mapping) else None
    if found is None:
        raise Garbled(
            f"{operation}: the answer was cut short, {name} is missing.", operation=operation
        )
    return found


def rows(answer: Any, name: str, operation: str) -> list[Any]:
    """Return a list of structures that AWS always sends, with none missing in it.

    :raises Garbled: if the key is missing, or an element is no structure.
    """
    found: list[Any] = required(answer, name, operation)
    if not all(isinstance(row, Mapping) for row in found):
        raise Garbled(f"{operation}: {name} has holes.", operation=operation)
    return found
