"""Lists a page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sandbox import tokens
from sandbox.logs.errors import invalid

Item = TypeVar("Item")


def page(
    items: Sequence[Item], token: str | None, size: int, parameters: Mapping[str, Any]
) -> tuple[list[Item], dict[str, str]]:
    """The items from `token` on and `{"nextToken": …}` when there are more.

    Raises InvalidParameterException for a token that was not given out for these parameters.
    """
    begin = read(token, parameters)[0] if token else 0
    end = begin + size
    more = {"nextToken": tokens.write([end], parameters)} if end < len(items) else {}
    return list(items[begin:end]), more


def read(token: str, parameters: Mapping[str, Any]) -> list[int]:
    """The position a token stands for; raises InvalidParameterException."""
    try:
        return tokens.read(token, parameters)
    except tokens.WrongToken as error:
        raise invalid("The specified nextToken is invalid.") from error
