"""The filter pattern language of metric filters and FilterLogEvents.

Source: "Filter pattern syntax for metric filters, subscription filters, filter log events, and
Live Tail" in the CloudWatch Logs user guide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from sandbox.logs.patterns import columns, document, terms
from sandbox.logs.patterns.scanner import refused

# What a message that matches lends to a metric ("$name" → text); None when it does not match.
Match = Callable[[str], Mapping[str, str] | None]


@lru_cache(256)
def parse(pattern: str) -> Match:
    """The matcher of a filter pattern; raises InvalidParameterException."""
    text = pattern.strip()
    if text.startswith("{"):
        try:
            return document.parse(text)
        except RecursionError as error:
            raise refused() from error
    if text.startswith("["):
        return columns.parse(text)
    return terms.parse(text)
