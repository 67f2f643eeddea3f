from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from news_api import cursor
from news_api.cursor import BadCursor, Position

END = Position(datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC), 42)


@given(st.timedeltas(timedelta(), timedelta(days=365 * 400)), st.integers(0, 2**63 - 1))
def test_a_cursor_leads_back_to_the_microsecond_it_was_made_for(age: timedelta, pk: int) -> None:
    position = Position(cursor.EPOCH + age, pk)

    sealed = cursor.encode(position, query="q", secret="s")

    assert cursor.decode(sealed, query="q", secret="s") == position


@pytest.mark.parametrize(("query", "secret"), [("another", "s"), ("q", "another")])
def test_a_cursor_is_worthless_for_another_query_or_service(query: str, secret: str) -> None:
    sealed = cursor.encode(END, query="q", secret="s")

    with pytest.raises(BadCursor):
        cursor.decode(sealed, query=query, secret=secret)


@given(st.integers(0, 27), st.integers(1, 255))
def test_changing_any_byte_of_a_cursor_is_noticed(place: int, change: int) -> None:
    raw = bytearray(cursor._from_text(cursor.encode(END, query="q", secret="s")))
    raw[place] ^= change

    with pytest.raises(BadCursor):
        cursor.decode(cursor._to_text(bytes(raw)), query="q", secret="s")


@given(st.text(max_size=60))
def test_no_text_that_we_did_not_make_is_taken_for_a_cursor(text: str) -> None:
    with pytest.raises(BadCursor):
        cursor.decode(text, query="q", secret="s")
