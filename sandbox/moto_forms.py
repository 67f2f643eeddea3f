"""Forms of the query and EC2 protocols, read by moto's parsers in one pass over the names.

Left alone, moto looks through all names for each structure that might be there: a form of a
megabyte, as PutMetricData allows, would hold up every other request for seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from moto.core.parse import EC2QueryParser, QueryParser

_BOOLEANS = {"true": True, "false": False}


class FormParser(QueryParser):
    """moto's parser, which raises what it stumbles on for a value of another type."""

    _begun: frozenset[str] = frozenset()

    def _do_parse(self, request_dict: Any, shape: Any) -> Any:
        values = request_dict["values"].to_dict()
        self._begun = beginnings(values)
        return super()._do_parse({**request_dict, "values": values}, shape)  # type: ignore[no-untyped-call]

    def _gonna_recurse(self, _: Mapping[str, str], prefix: str) -> bool:
        """Whether nothing of a structure is there (moto's own name for it)."""
        return prefix != "" and prefix not in self._begun

    def _parse_boolean(self, shape: Any, query_params: Mapping[str, str], prefix: str = "") -> Any:
        value = self._default_handle(shape, query_params, prefix)  # type: ignore[no-untyped-call]
        return _BOOLEANS[value.lower()] if isinstance(value, str) else value


class Ec2FormParser(FormParser, EC2QueryParser):
    """The same for EC2's lists."""


def beginnings(names: Iterable[str]) -> frozenset[str]:
    """Every name, and what it begins with up to a dot: `a.b.1` is of `a`, `a.b` and `a.b.1`."""
    found: set[str] = set()
    for name in names:
        begin = name
        while begin and begin not in found:
            found.add(begin)
            begin = begin.rpartition(".")[0]
    return frozenset(found)
