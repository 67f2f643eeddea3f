"""Errors in Application Auto Scaling's names and, where they are known, its words."""

from __future__ import annotations

from collections.abc import Collection

from sandbox.errors import AwsError


def invalid(message: str) -> AwsError:
    """ValidationException."""
    return AwsError("ValidationException", message)


def not_found(message: str) -> AwsError:
    """ObjectNotFoundException: what an operation needs or deletes does not exist."""
    return AwsError("ObjectNotFoundException", message)


def too_many(message: str) -> AwsError:
    """LimitExceededException."""
    return AwsError("LimitExceededException", message)


def no_target(where: str) -> AwsError:
    """ObjectNotFoundException; `where` is what `place` returns."""
    return not_found(f"No scalable target registered for {where}")


def place(namespace: str, resource: str, dimension: str) -> str:
    """How AWS's messages name a scalable target."""
    return (
        f"service namespace: {namespace}, resource ID: {resource}, scalable dimension: {dimension}"
    )


def check_enum(value: str, name: str, words: Collection[str]) -> None:
    """Raise ValidationException unless `value` is one of the model's words."""
    if value not in words:
        raise invalid(
            f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy "
            f"constraint: Member must satisfy enum value set: [{', '.join(words)}]"
        )
