"""Operations on log events: put, get, filter."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from typing import Any

from sandbox import tokens
from sandbox.honesty import SIMPLIFIED, Note, simplified
from sandbox.logs import batches, patterns
from sandbox.logs.errors import at_most, invalid, missing, refuse
from sandbox.logs.groups import find, one_of
from sandbox.logs.ingestion import Ingestion
from sandbox.logs.metric_filters import checked_pattern
from sandbox.logs.pages import read
from sandbox.logs.store import Event, Group, Store, size

Answer = dict[str, Any]

MAX_EVENTS = 10_000
MAX_PAGE_BYTES = 2**20
MAX_STREAMS = 100
# Of so many events, or bytes, one page of FilterLogEvents is made; it may be empty.
SCANNED_PER_PAGE = 20_000
SCANNED_BYTES_PER_PAGE = 8 * 2**20
# FilterLogEvents reads backwards from this moment on only: 2024-01-01T00:00:00Z.
_BACKWARDS_SINCE = 1_704_067_200_000
_TOKEN = re.compile(r"([fb])/(\d{20})(\d{36})/s")
_EVER = 2**62

Position = tuple[int, int]


class LogEvents:
    """Log events."""

    NOTES = (
        Note(SIMPLIFIED, "Logs begin with the first start: there are none of before the epoch."),
        Note(SIMPLIFIED, "A log group keeps its newest 64 MiB; on AWS it grows without an end."),
        Note(SIMPLIFIED, "Events can be found at once; on AWS it takes some seconds."),
        Note(
            SIMPLIFIED,
            "A regular expression in a filter pattern has at most 1,000 places, repetitions "
            "written out, and no anchor but at its ends.",
        ),
        Note(SIMPLIFIED, "Events in the embedded metric format become no metrics."),
        Note(
            SIMPLIFIED,
            "Values of metric filters reach CloudWatch every 5 s; kill -9 loses at most those.",
        ),
    )

    def __init__(self, store: Store, ingestion: Ingestion) -> None:
        self._store = store
        self._ingestion = ingestion

    # -- putting ---------------------------------------------------------------------------------

    @simplified("An entity is refused.")
    async def put_log_events(
        self,
        logGroupName: str,
        logStreamName: str,
        logEvents: Sequence[dict[str, Any]],
        sequenceToken: str | None = None,
        entity: Any = None,
    ) -> Answer:
        """Add a batch in the order of time; sequenceToken is ignored, as on AWS."""
        refuse(entity=entity)
        group = find(self._store, logGroupName)
        if self._store.stream(group, logStreamName) is None:
            raise missing("log stream")
        batch = batches.checked(logEvents, group.retention)
        await asyncio.to_thread(self._ingestion.write, group, logStreamName, batch.accepted)
        stream = self._store.stream(group, logStreamName)
        answer: Answer = {"nextSequenceToken": f"{stream.number if stream else 0:056d}"}
        return answer | ({"rejectedLogEventsInfo": batch.rejected} if batch.rejected else {})

    # -- getting ---------------------------------------------------------------------------------

    async def get_log_events(
        self,
        logStreamName: str,
        logGroupName: str | None = None,
        logGroupIdentifier: str | None = None,
        startTime: int = 0,
        endTime: int = _EVER,
        nextToken: str | None = None,
        limit: int | None = None,
        startFromHead: bool = False,
        unmask: bool = False,
    ) -> Answer:
        """Events of one stream; a token that comes back unchanged is the end of that direction."""
        refuse(unmask=unmask)
        group = one_of(self._store, logGroupName, logGroupIdentifier)
        stream = self._store.stream(group, logStreamName)
        if stream is None:
            raise missing("log stream")
        count = at_most("limit", limit, MAX_EVENTS, MAX_EVENTS)
        forwards, at = _direction(nextToken, startFromHead)
        reader = self._store.after if forwards else self._store.before
        events = reader(group, _bounds(startTime, endTime), at, [stream.number])
        found = await asyncio.to_thread(_fill, events, count)
        shown = found if forwards else found[::-1]
        # Of a stream without events, the first ones to come are ahead.
        empty = at if nextToken else (0, 0)
        first, last = (_place(shown[0]), _place(shown[-1])) if shown else (empty, empty)
        return {
            "events": [
                {"timestamp": e.time, "message": e.message, "ingestionTime": e.ingested}
                for e in shown
            ],
            "nextForwardToken": _token("f", last),
            "nextBackwardToken": _token("b", first),
        }

    # -- filtering -------------------------------------------------------------------------------

    @simplified("The account's five requests a second are not enforced.")
    async def filter_log_events(
        self,
        logGroupName: str | None = None,
        logGroupIdentifier: str | None = None,
        logStreamNames: Sequence[str] = (),
        logStreamNamePrefix: str = "",
        startTime: int = 0,
        endTime: int = _EVER,
        filterPattern: str = "",
        nextToken: str | None = None,
        limit: int | None = None,
        startFromHead: bool = True,
        interleaved: bool = True,
        unmask: bool = False,
    ) -> Answer:
        """Events of a group that match, interleaved; an empty page is not the end."""
        refuse(unmask=unmask)
        group = one_of(self._store, logGroupName, logGroupIdentifier)
        count = at_most("limit", limit, MAX_EVENTS, MAX_EVENTS)
        match = patterns.parse(checked_pattern(filterPattern))
        streams = self._chosen(group, logStreamNames, logStreamNamePrefix)
        named = [group.name, sorted(logStreamNames), logStreamNamePrefix]
        asked = {"of": [*named, startTime, endTime, filterPattern]}
        forwards, at = _begin(nextToken, asked, startFromHead, startTime)
        reader = self._store.after if forwards else self._store.before
        events = reader(group, _bounds(startTime, endTime + 1), at, streams)
        found, end = await asyncio.to_thread(_search, events, match, count)
        more = {"nextToken": tokens.write([*end, forwards], asked)} if end else {}
        return {"events": [_filtered(e) for e in found], "searchedLogStreams": [], **more}

    def _chosen(self, group: Group, names: Sequence[str], prefix: str) -> list[int]:
        """The numbers of the streams to search."""
        if names and prefix:
            raise invalid("logStreamNames and logStreamNamePrefix are mutually exclusive.")
        at_most("logStreamNames", len(names), MAX_STREAMS, 0)
        streams = {stream.name: stream for stream in self._store.streams(group)}
        if not names:
            return [s.number for s in streams.values() if s.name.startswith(prefix)]
        if not set(names) <= streams.keys():
            raise missing("log stream")
        return [streams[name].number for name in names]


def _bounds(start: int, end: int) -> tuple[int, int]:
    """A range of times that the database can compare with."""
    return min(start, _EVER), min(end, _EVER)


def _place(event: Event) -> Position:
    return event.time, event.number


def _token(direction: str, place: Position) -> str:
    return f"{direction}/{place[0]:020d}{place[1]:036d}/s"


def _direction(token: str | None, from_head: bool) -> tuple[bool, Position]:
    """Whether GetLogEvents reads forwards, and the place it reads from."""
    if token is None:
        return from_head, (0, 0) if from_head else (_EVER, 0)
    found = _TOKEN.fullmatch(token)
    if not found:
        raise invalid("The specified nextToken is invalid.")
    return found[1] == "f", (int(found[2]), int(found[3]))


def _begin(
    token: str | None, asked: dict[str, Any], from_head: bool, start: int
) -> tuple[bool, Position]:
    """Whether FilterLogEvents reads forwards, and the place it reads from."""
    if token is not None:
        time, number, forwards = read(token, asked)
        return bool(forwards), (time, number)
    if not from_head and start < _BACKWARDS_SINCE:
        raise invalid("startFromHead false needs a startTime on or after 2024-01-01T00:00:00Z.")
    return from_head, (0, 0) if from_head else (_EVER, 0)


def _fill(events: Iterable[Event], count: int) -> list[Event]:
    """As many events as fit into one page."""
    found: list[Event] = []
    room = MAX_PAGE_BYTES
    for event in events:
        room -= size(event.message)
        if len(found) == count or (room < 0 and found):
            break
        found.append(event)
    return found


def _search(
    events: Iterable[Event], match: patterns.Match, count: int
) -> tuple[list[Event], Position | None]:
    """One page of matching events, and where the next begins (None at the end)."""
    found: list[Event] = []
    room = MAX_PAGE_BYTES
    place: Position | None = None
    unread = SCANNED_BYTES_PER_PAGE
    for scanned, event in enumerate(events):
        if scanned == SCANNED_PER_PAGE or unread <= 0:
            return found, place
        matches = match(event.message) is not None
        unread -= size(event.message)
        room -= size(event.message) if matches else 0
        if len(found) == count or (room < 0 and found):
            return found, place
        place = _place(event)
        if matches:
            found.append(event)
    return found, None


def _filtered(event: Event) -> Answer:
    return {
        "logStreamName": event.stream,
        "timestamp": event.time,
        "message": event.message,
        "ingestionTime": event.ingested,
        "eventId": f"{event.time:020d}{event.number:036d}",
    }
