"""Pages as ECR and Inspector give them: nextToken and maxResults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox import tokens
from sandbox.errors import AwsError


def token_page(
    found: Sequence[Any], size: int, token: str | None, question: Mapping[str, Any], error: str
) -> tuple[list[Any], dict[str, str]]:
    """A page of `found` and the nextToken of what follows.

    Raises AwsError `error` for a token that was given out for another question.
    """
    try:
        begin = tokens.read(token, question)[0] if token else 0
    except tokens.WrongToken as wrong:
        raise AwsError(error, "Invalid nextToken.") from wrong
    end = begin + size
    more = {"nextToken": tokens.write([end], question)} if end < len(found) else {}
    return list(found[begin:end]), more
