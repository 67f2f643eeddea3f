"""The error answers of CloudWatch Logs that several operations share."""

from __future__ import annotations

from sandbox.errors import AwsError


def invalid(message: str) -> AwsError:
    """InvalidParameterException."""
    return AwsError("InvalidParameterException", message)


def missing(what: str) -> AwsError:
    """ResourceNotFoundException for "log group", "log stream" …"""
    return AwsError("ResourceNotFoundException", f"The specified {what} does not exist.")


def existing(what: str) -> AwsError:
    """ResourceAlreadyExistsException for "log group" or "log stream"."""
    return AwsError("ResourceAlreadyExistsException", f"The specified {what} already exists")


def constraint(value: object, name: str, rule: str) -> AwsError:
    """InvalidParameterException in the words of AWS's validation."""
    return invalid(
        f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: "
        f"{rule}"
    )


def at_most(name: str, value: int | None, most: int, default: int) -> int:
    """`value`, or `default` without one; raises InvalidParameterException above `most`."""
    if value is None:
        return default
    if value > most:
        raise constraint(value, name, f"Member must have value less than or equal to {most}")
    return value


def refuse(**unsupported: object) -> None:
    """Raise InvalidParameterException when any of these parameters was given."""
    for name, value in unsupported.items():
        if value:
            raise invalid(f"The sandbox does not support the parameter {name}.")
