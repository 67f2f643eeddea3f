"""Log events are kept within bounds, by retention, over restarts and failures."""

from __future__ import annotations

import asyncio

import pytest

from sandbox.logs.service import Logs
from sandbox.logs.store import DAY_MS, EVENT_OVERHEAD, Store
from tests.sandbox.logs.asking import NOW, messages


def test_a_full_group_drops_its_oldest_events(store, kept_group):
    for number in range(120):
        batch = [(NOW + number, f"{number:03d}{'x' * 971}") for _ in range(5)]
        store.append(kept_group, "web/1", batch, NOW)

    kept = messages(store)
    assert kept[-1].startswith("119")
    assert kept_group.bytes == len(kept) * (974 + EVENT_OVERHEAD) <= 400_000


def test_events_expire_with_the_retention_of_their_group(store, kept_group):
    store.append(kept_group, "web/1", [(NOW - 2 * DAY_MS, "old"), (NOW, "new")], NOW)
    kept_group.retention = 1
    store.save_group(kept_group)

    store.expire(NOW)

    assert messages(store) == ["new"]
    assert kept_group.bytes == 3 + EVENT_OVERHEAD


def test_a_deleted_stream_takes_its_bytes_with_it(store, kept_group):
    store.create_stream(kept_group, "web/2", NOW)
    store.append(kept_group, "web/1", [(NOW, "one")], NOW)
    store.append(kept_group, "web/2", [(NOW, "other")], NOW)

    store.delete_stream(kept_group, store.stream(kept_group, "web/2"))

    assert messages(store) == ["one"]
    assert kept_group.bytes == 3 + EVENT_OVERHEAD


def test_logs_are_there_after_a_restart(tmp_path, store, kept_group):
    kept_group.retention = 7
    store.save_group(kept_group)
    store.append(kept_group, "web/1", [(NOW, "kept")], NOW)

    again = Store(tmp_path / "logs.sqlite")

    assert messages(again) == ["kept"]
    assert again.group(kept_group.name) == kept_group
    again.close()


def test_several_groups_are_read_as_one_newest_first(store, kept_group):
    other = store.create_group("/other", NOW)
    store.create_stream(other, "s", NOW)
    store.append(kept_group, "web/1", [(NOW, "1"), (NOW + 2, "3")], NOW)
    store.append(other, "s", [(NOW + 1, "2"), (NOW + 3, "4")], NOW)

    found = store.newest_first([kept_group, other], (NOW, NOW + 3))

    assert [event.message for event in found] == ["3", "2", "1"]


def test_a_group_whose_size_is_wrong_is_not_emptied_for_ever(store, kept_group):
    kept_group.bytes = 10**9

    store.append(kept_group, "web/1", [(NOW, "one")], NOW)

    assert kept_group.bytes >= 0


def test_what_is_kept_goes_on_after_a_failure(store, ingestion, monkeypatch):
    monkeypatch.setattr("sandbox.logs.service.FLUSH_SECONDS", 0.0)
    monkeypatch.setattr("sandbox.logs.service._SHORTEST", 0.0)
    rounds = iter([OSError("disk full"), None, asyncio.CancelledError()])

    def flush():
        outcome = next(rounds)
        if outcome:
            raise outcome

    monkeypatch.setattr(ingestion, "flush", flush)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(Logs(store, ingestion, None).keep())

    assert next(rounds, "all taken") == "all taken"
