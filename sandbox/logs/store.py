"""Log groups, streams and events in one SQLite file that survives kill -9.

Messages are kept up to `GROUP_BYTES` a log group; beyond that the oldest go, as they go when they
are older than the group's retention. Every method may be called from any thread; times are
milliseconds since 1970.
"""

from __future__ import annotations

import heapq
import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

GROUP_BYTES = 64 * 2**20
# AWS counts this much beside the UTF-8 bytes of every message (PutLogEvents).
EVENT_OVERHEAD = 26
DAY_MS = 86_400_000
_CHUNK = 2000
_SCHEMA = """
pragma journal_mode = wal;
pragma synchronous = normal;
create table if not exists log_group (
  id integer primary key, name text not null unique, created integer not null,
  class text not null, retention integer, tags text not null, bytes integer not null default 0
);
create table if not exists stream (
  id integer primary key, log_group integer not null references log_group (id),
  name text not null, created integer not null, first integer, last integer, ingested integer,
  unique (log_group, name)
);
create table if not exists event (
  id integer primary key autoincrement, log_group integer not null, stream integer not null,
  time integer not null, ingested integer not null, message text not null
);
create index if not exists event_by_time on event (log_group, time, id);
create table if not exists followed (
  task text primary key, log_group text not null, stream text not null, position integer not null
);
"""
_EVENTS = "select e.id, e.time, e.ingested, e.message, s.name from event e join stream s "
_EVENTS += "on s.id = e.stream where e.log_group = ? and e.time >= ? and e.time < ?"


@dataclass
class Group:
    """A log group; `bytes` are those of its events as AWS counts them."""

    number: int
    name: str
    created: int
    kind: str
    retention: int | None
    tags: dict[str, str] = field(default_factory=dict)
    bytes: int = 0


class Stream(NamedTuple):
    """A log stream; the times of its first and last event and of its last ingestion or None."""

    number: int
    name: str
    created: int
    first: int | None
    last: int | None
    ingested: int | None


class Event(NamedTuple):
    """One log event; `number` orders events of the same millisecond."""

    number: int
    time: int
    ingested: int
    message: str
    stream: str
    group: str


def size(message: str) -> int:
    """Bytes of one event as AWS counts them."""
    return len(message.encode()) + EVENT_OVERHEAD


class Store:
    """The account's logs. Groups are cached in memory; streams and events are not."""

    def __init__(self, path: Path, *, group_bytes: int = GROUP_BYTES) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._group_bytes = group_bytes
        self._database = sqlite3.connect(path, check_same_thread=False)
        self._database.executescript(_SCHEMA)
        self._lock = threading.RLock()
        rows = self._database.execute(
            "select id, name, created, class, retention, tags, bytes from log_group"
        )
        self._groups = {row[1]: _group(*row) for row in rows}

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    # -- groups ----------------------------------------------------------------------------------

    def groups(self) -> list[Group]:
        """Every log group by name."""
        with self._lock:
            return sorted(self._groups.values(), key=lambda group: group.name)

    def group(self, name: str) -> Group | None:
        """One log group."""
        return self._groups.get(name)

    def create_group(
        self, name: str, created: int, kind: str = "STANDARD", tags: dict[str, str] | None = None
    ) -> Group:
        """A new log group; its name must be free."""
        with self._lock, self._database:
            cursor = self._database.execute(
                "insert into log_group (name, created, class, tags) values (?, ?, ?, ?)",
                (name, created, kind, json.dumps(tags or {})),
            )
            group = Group(int(cursor.lastrowid or 0), name, created, kind, None, dict(tags or {}))
            self._groups[name] = group
            return group

    def save_group(self, group: Group) -> None:
        """Keep a changed retention or changed tags."""
        with self._lock, self._database:
            self._database.execute(
                "update log_group set retention = ?, tags = ? where id = ?",
                (group.retention, json.dumps(group.tags), group.number),
            )

    def delete_group(self, group: Group) -> None:
        """Remove a log group with everything in it."""
        with self._lock, self._database:
            del self._groups[group.name]
            for table in ("event", "stream"):
                self._database.execute(
                    f"delete from {table} where log_group = ?",  # noqa: S608 - our own two names
                    (group.number,),
                )
            self._database.execute("delete from log_group where id = ?", (group.number,))

    # -- streams ---------------------------------------------------------------------------------

    def streams(self, group: Group) -> list[Stream]:
        """The streams of a group by name."""
        query = "select id, name, created, first, last, ingested from stream where log_group = ?"
        with self._lock:
            rows = self._database.execute(query + " order by name", (group.number,))
            return [Stream(*row) for row in rows]

    def stream(self, group: Group, name: str) -> Stream | None:
        """One stream of a group."""
        query = "select id, name, created, first, last, ingested from stream "
        query += "where log_group = ? and name = ?"
        with self._lock:
            row = self._database.execute(query, (group.number, name)).fetchone()
        return Stream(*row) if row else None

    def create_stream(self, group: Group, name: str, created: int) -> None:
        """A new stream; nothing happens when there is one of that name."""
        with self._lock, self._database:
            self._database.execute(
                "insert or ignore into stream (log_group, name, created) values (?, ?, ?)",
                (group.number, name, created),
            )

    def delete_stream(self, group: Group, stream: Stream) -> None:
        """Remove a stream and its events."""
        with self._lock, self._database:
            query = "select message from event where stream = ?"
            rows = self._database.execute(query, (stream.number,))
            self._grow(group, -sum(size(message) for (message,) in rows))
            self._database.execute("delete from event where stream = ?", (stream.number,))
            self._database.execute("delete from stream where id = ?", (stream.number,))

    # -- events ----------------------------------------------------------------------------------

    def append(
        self,
        group: Group,
        stream: str,
        events: Sequence[tuple[int, str]],
        ingested: int,
        *,
        followed: tuple[str, int] | None = None,
    ) -> None:
        """Add (time, message) pairs to a stream that exists, oldest dropped when the group is full.

        `followed` is a task's id and how far its file was read, kept in the same transaction.
        """
        with self._lock, self._database:
            found = self.stream(group, stream)
            if found is not None and events:
                self._insert(group, found, events, ingested)
            if followed is not None:
                self._database.execute(
                    "update followed set position = ? where task = ?", (followed[1], followed[0])
                )

    def _insert(
        self, group: Group, stream: Stream, events: Sequence[tuple[int, str]], ingested: int
    ) -> None:
        self._database.executemany(
            "insert into event (log_group, stream, time, ingested, message) values (?, ?, ?, ?, ?)",
            [(group.number, stream.number, at, ingested, message) for at, message in events],
        )
        times = [at for at, _ in events]
        self._database.execute(
            "update stream set first = min(ifnull(first, ?), ?), last = max(ifnull(last, ?), ?), "
            "ingested = ? where id = ?",
            (*(min(times),) * 2, *(max(times),) * 2, ingested, stream.number),
        )
        self._grow(group, sum(size(message) for _, message in events))
        while group.bytes > self._group_bytes and self._drop(group, "", ()):
            pass

    def _grow(self, group: Group, by: int) -> None:
        group.bytes = max(0, group.bytes + by)
        self._database.execute(
            "update log_group set bytes = ? where id = ?", (group.bytes, group.number)
        )

    def _drop(self, group: Group, where: str, values: tuple[int, ...]) -> int:
        """Remove the oldest events that match, a chunk of them; returns how many."""
        query = f"select id, message from event where log_group = ? {where} order by time, id"  # noqa: S608
        rows = self._database.execute(f"{query} limit {_CHUNK}", (group.number, *values)).fetchall()
        self._database.executemany("delete from event where id = ?", [(row[0],) for row in rows])
        self._grow(group, -sum(size(row[1]) for row in rows))
        return len(rows)

    def expire(self, now: int) -> None:
        """Drop what is older than its group's retention."""
        for group in self.groups():
            if group.retention is not None:
                oldest = now - group.retention * DAY_MS
                with self._lock, self._database:
                    while self._drop(group, "and time < ?", (oldest,)) == _CHUNK:
                        pass

    def event(self, number: int, group: Group) -> Event | None:
        """One event by its number."""
        query = f"{_EVENTS} and e.id = ?"
        with self._lock:
            row = self._database.execute(query, (group.number, 0, 2**62, number)).fetchone()
        return Event._make((*row, group.name)) if row else None

    def after(
        self, group: Group, bounds: tuple[int, int], last: tuple[int, int], streams: Iterable[int]
    ) -> Iterator[Event]:
        """Events of start <= time < end behind (time, number), oldest first, of these streams."""
        query = f"{_EVENTS} and (e.time, e.id) > (?, ?) {_of(streams)} order by e.time, e.id"
        return self._read(query, (group.number, *bounds, *last), group.name)

    def before(
        self, group: Group, bounds: tuple[int, int], last: tuple[int, int], streams: Iterable[int]
    ) -> Iterator[Event]:
        """Events of start <= time < end before (time, number), newest first, of these streams."""
        query = f"{_EVENTS} and (e.time, e.id) < (?, ?) {_of(streams)} order by e.time desc"
        return self._read(query + ", e.id desc", (group.number, *bounds, *last), group.name)

    def newest_first(self, groups: Sequence[Group], bounds: tuple[int, int]) -> Iterator[Event]:
        """Events of start <= time < end of several groups, newest first."""
        return newest_first(self.path, [(group.number, group.name) for group in groups], bounds)

    def _read(self, query: str, values: tuple[int, ...], group: str) -> Iterator[Event]:
        return _read(self.path, query, values, group)

    # -- files of tasks --------------------------------------------------------------------------

    def followed(self) -> dict[str, tuple[str, str, int]]:
        """What is followed: group, stream and how far it was read, by task id."""
        with self._lock:
            rows = self._database.execute("select * from followed").fetchall()
        return {task: (group, stream, position) for task, group, stream, position in rows}

    def follow(self, task: str, group: str, stream: str) -> None:
        """Begin to follow a task's file at its beginning."""
        with self._lock, self._database:
            self._database.execute(
                "insert or replace into followed values (?, ?, ?, 0)", (task, group, stream)
            )

    def unfollow(self, task: str) -> None:
        """Forget a file that is gone."""
        with self._lock, self._database:
            self._database.execute("delete from followed where task = ?", (task,))


def newest_first(
    path: Path, groups: Sequence[tuple[int, str]], bounds: tuple[int, int]
) -> Iterator[Event]:
    """Events of start <= time < end of groups by number and name, newest first, in any process."""
    query = f"{_EVENTS} order by e.time desc, e.id desc"
    readers = [_read(path, query, (number, *bounds), name) for number, name in groups]
    if len(readers) == 1:
        return readers[0]
    return heapq.merge(*readers, key=lambda event: (-event.time, -event.number))


def _read(path: Path, query: str, values: tuple[int, ...], group: str) -> Iterator[Event]:
    """Read on a connection of its own, so that writers need not wait."""
    with closing(sqlite3.connect(path, check_same_thread=False)) as database:
        cursor = database.execute(query, values)
        while rows := cursor.fetchmany(_CHUNK):
            for row in rows:
                yield Event._make((*row, group))


def _of(streams: Iterable[int]) -> str:
    """The condition that an event belongs to one of these streams, by number."""
    return f"and e.stream in ({','.join(str(number) for number in streams)})"


def _group(
    number: int, name: str, created: int, kind: str, retention: int | None, tags: str, held: int
) -> Group:
    return Group(number, name, created, kind, retention, json.loads(tags), held)
