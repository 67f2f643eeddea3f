"""Operations on log streams."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

import re
from typing import Any

from sandbox.honesty import simplified
from sandbox.logs.errors import at_most, constraint, existing, invalid, missing
from sandbox.logs.groups import arn, find, milliseconds, one_of
from sandbox.logs.pages import page
from sandbox.logs.store import Group, Store, Stream

Answer = dict[str, Any]

_NAME = r"[^:*]*"


class LogStreams:
    """Log streams."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create_log_stream(self, logGroupName: str, logStreamName: str) -> Answer:
        """A new, empty stream."""
        group = find(self._store, logGroupName)
        if not re.fullmatch(_NAME, logStreamName) or len(logStreamName) > 512:
            rule = f"Member must satisfy regular expression pattern: {_NAME}"
            raise constraint(logStreamName, "logStreamName", rule)
        if self._store.stream(group, logStreamName):
            raise existing("log stream")
        self._store.create_stream(group, logStreamName, milliseconds())
        return {}

    def delete_log_stream(self, logGroupName: str, logStreamName: str) -> Answer:
        """Remove a stream and its events."""
        group = find(self._store, logGroupName)
        stream = self._store.stream(group, logStreamName)
        if stream is None:
            raise missing("log stream")
        self._store.delete_stream(group, stream)
        return {}

    @simplified("lastEventTimestamp is up to date at once; on AWS it may lag by an hour.")
    def describe_log_streams(
        self,
        logGroupName: str | None = None,
        logGroupIdentifier: str | None = None,
        logStreamNamePrefix: str = "",
        orderBy: str = "LogStreamName",
        descending: bool = False,
        nextToken: str | None = None,
        limit: int | None = None,
    ) -> Answer:
        """Streams by name or by their last event, by page of at most 50."""
        group = one_of(self._store, logGroupName, logGroupIdentifier)
        size = at_most("limit", limit, 50, 50)
        if orderBy == "LastEventTime" and logStreamNamePrefix:
            raise invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
        found = self._store.streams(group)
        chosen = [stream for stream in found if stream.name.startswith(logStreamNamePrefix)]
        if orderBy == "LastEventTime":
            # AWS orders streams without events by their creation.
            chosen.sort(key=lambda stream: (stream.last or stream.created, stream.name))
        if descending:
            chosen.reverse()
        asked = {"group": group.name, "of": [logStreamNamePrefix, orderBy, descending]}
        shown, more = page(chosen, nextToken, size, asked)
        return {"logStreams": [_shown(group, stream) for stream in shown], **more}


def _shown(group: Group, stream: Stream) -> Answer:
    times = {
        "firstEventTimestamp": stream.first,
        "lastEventTimestamp": stream.last,
        "lastIngestionTime": stream.ingested,
    }
    return {
        "logStreamName": stream.name,
        "creationTime": stream.created,
        "uploadSequenceToken": f"{stream.number:056d}",
        "arn": f"{arn(group.name)}:log-stream:{stream.name}",
        # Deprecated since 2019: AWS reports zero for every stream.
        "storedBytes": 0,
        **{name: time for name, time in times.items() if time is not None},
    }
