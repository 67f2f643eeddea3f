"""Lists in pages, with tokens that fit the request they were given out for and tell nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox import tokens
from sandbox.errors import AwsError


def page(
    items: Sequence[Any],
    token: str | None,
    size: int | None,
    *,
    of: Mapping[str, Any],
    default: int,
    most: int,
) -> tuple[list[Any], dict[str, str]]:
    """The items of one page and `{"nextToken": …}` when more follow.

    `of` is what is listed: the operation and its filters. Raises InvalidParameterException for a
    token of another request or one this sandbox did not write, or a size out of range.
    """
    if size is not None and not 1 <= size <= most:
        raise AwsError("InvalidParameterException", f"maxResults must be between 1 and {most}.")
    start = _offset(token, of) if token else 0
    end = start + (size or default)
    rest = {"nextToken": tokens.write([end], of)} if end < len(items) else {}
    return list(items[start:end]), rest


def _offset(token: str, of: Mapping[str, Any]) -> int:
    try:
        (offset,) = tokens.read(token, of)
    except ValueError as error:
        raise AwsError("InvalidParameterException", "Invalid token.") from error
    return offset
