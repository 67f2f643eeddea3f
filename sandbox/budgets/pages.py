"""Pages of Budgets' listings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from sandbox import tokens
from sandbox.errors import AwsError

MOST = 100
Row = TypeVar("Row")


def page(
    rows: Sequence[Row], token: str | None, size: int, what: str
) -> tuple[Sequence[Row], dict[str, str]]:
    """One page and the member NextToken where there is more; raises AwsError.

    :param what: what is listed; a token fits that alone.
    """
    if not 0 < size <= MOST:
        raise AwsError("InvalidParameterException", f"MaxResults must be between 1 and {MOST}.")
    asked = {"what": what, "size": size}
    try:
        begin = tokens.read(token, asked)[0] if token else 0
    except tokens.WrongToken as error:
        message = "The pagination token is invalid."
        raise AwsError("InvalidNextTokenException", message) from error
    end = begin + size
    more = {"NextToken": tokens.write([end], asked)} if end < len(rows) else {}
    return rows[begin:end], more
