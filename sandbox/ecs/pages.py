"""Lists in pages, with tokens that tell a caller nothing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from sandbox.errors import AwsError

_MARK = b"sandbox-page:"


def page(
    items: Sequence[Any], token: str | None, size: int | None, *, default: int, most: int
) -> tuple[list[Any], dict[str, str]]:
    """The items of one page and `{"nextToken": …}` when more follow.

    Raises InvalidParameterException for a token this sandbox did not write or a size out of range.
    """
    if size is not None and not 1 <= size <= most:
        raise AwsError("InvalidParameterException", f"maxResults must be between 1 and {most}.")
    start = _offset(token) if token else 0
    end = start + (size or default)
    rest = {"nextToken": _token(end)} if end < len(items) else {}
    return list(items[start:end]), rest


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(_MARK + str(offset).encode()).decode()


def _offset(token: str) -> int:
    try:
        plain = base64.urlsafe_b64decode(token.encode())
        if not plain.startswith(_MARK):
            raise ValueError
        return int(plain.removeprefix(_MARK))
    except (ValueError, binascii.Error) as error:
        raise AwsError("InvalidParameterException", "Invalid token.") from error
