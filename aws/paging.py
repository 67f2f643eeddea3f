"""Answers in pages, of which there must be an end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aws.errors import Unreachable, translated

# 100 rows a page or less; an account with more than this is not read by one worker in time.
MOST_PAGES = 500


def pages(paginator: Any, operation: str, **request: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the pages of a botocore paginator.

    botocore notices a token that repeats, not tokens that are new for ever.

    :raises Unreachable: after 500 pages: what is cut short must not look complete.
    :raises AwsError: see `aws.errors`.
    """
    with translated(operation):
        for number, page in enumerate(paginator.paginate(**request)):
            if number == MOST_PAGES:
                raise Unreachable(f"{operation}: the pages do not end.", operation=operation)
            yield page
