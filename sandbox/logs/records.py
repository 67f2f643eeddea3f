"""Operations on single records and on the fields that records have."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections import Counter
from itertools import islice
from typing import Any

from sandbox.honesty import simplified
from sandbox.logs.errors import invalid, missing, refuse
from sandbox.logs.groups import milliseconds, one_of
from sandbox.logs.insights.rows import SYSTEM, discovered, flat
from sandbox.logs.insights.values import raw
from sandbox.logs.store import Group, Store

Answer = dict[str, Any]

MAX_SAMPLED = 10_000
_SIDE_MS = 8 * 60_000
_LAST_MS = 15 * 60_000
# Every record has these.
_ALWAYS = ("@ingestionTime", "@log", "@logStream", "@message", "@timestamp")


class Records:
    """Single records by @ptr, and which fields a log group has."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get_log_record(self, logRecordPointer: str, unmask: bool = False) -> Answer:
        """Every field of one record."""
        refuse(unmask=unmask)
        try:
            name, number = json.loads(base64.b64decode(logRecordPointer, validate=True))
        except (binascii.Error, ValueError, TypeError) as error:
            raise invalid("The specified logRecordPointer is invalid.") from error
        group = self._store.group(str(name))
        event = self._store.event(int(number), group) if group else None
        if event is None:
            raise missing("log record")
        record = {name: str(read(event)) for name, read in SYSTEM.items()}
        found = {name: raw(value) for name, value in flat(discovered(event.message)).items()}
        return {"logRecord": {**found, **record, "@ptr": logRecordPointer}}

    @simplified("The newest 10,000 events of the time range are looked at.")
    async def get_log_group_fields(
        self,
        logGroupName: str | None = None,
        logGroupIdentifier: str | None = None,
        time: int | None = None,
    ) -> Answer:
        """Fields and the percentage of events that have them, around a time (epoch seconds)."""
        group = one_of(self._store, logGroupName, logGroupIdentifier)
        now = milliseconds()
        bounds = (now - _LAST_MS, now + 1)
        if time is not None:
            bounds = (time * 1000 - _SIDE_MS, time * 1000 + _SIDE_MS + 1)
        fields = await asyncio.to_thread(self._percentages, group, bounds)
        shown = sorted(fields.items(), key=lambda pair: (-pair[1], pair[0]))
        return {"logGroupFields": [{"name": name, "percent": share} for name, share in shown]}

    def _percentages(self, group: Group, bounds: tuple[int, int]) -> dict[str, int]:
        counts: Counter[str] = Counter()
        total = 0
        for event in islice(self._store.newest_first([group], bounds), MAX_SAMPLED):
            total += 1
            counts.update({*_ALWAYS, *flat(discovered(event.message))})
        return {name: 100 * count // total for name, count in counts.items()}
