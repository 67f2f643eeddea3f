"""Page tokens fit one request, cannot be altered and tell nothing."""

from __future__ import annotations

import base64
from contextvars import copy_context

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import tokens

ASKED = {"what": "ListTasks", "cluster": "production"}
POSITIONS = st.lists(st.integers(), min_size=1, max_size=4)


def written_by(operation):
    tokens.answering.set(operation)
    return tokens.write([2], ASKED)


@given(POSITIONS, st.dictionaries(st.text(), st.text()))
def test_a_token_leads_back_to_its_position(position, asked):
    assert tokens.read(tokens.write(position, asked), asked) == position


def test_a_token_fits_no_other_request():
    token = tokens.write([2], ASKED)

    with pytest.raises(tokens.OtherRequest):
        tokens.read(token, ASKED | {"cluster": "staging"})


def test_a_token_fits_no_other_operation_that_is_asked_the_same():
    token = copy_context().run(written_by, "autoscaling.DescribeScalingPolicies")

    with pytest.raises(tokens.OtherRequest):
        tokens.read(token, ASKED)


@given(st.data(), POSITIONS)
def test_an_altered_token_is_nobodys(data, position):
    whole = base64.urlsafe_b64decode(tokens.write(position, ASKED))
    at = data.draw(st.integers(0, len(whole) - 1))
    by = data.draw(st.integers(1, 255))
    altered = whole[:at] + bytes([whole[at] ^ by]) + whole[at + 1 :]

    with pytest.raises(tokens.WrongToken):
        tokens.read(base64.urlsafe_b64encode(altered).decode(), ASKED)


@pytest.mark.parametrize("text", ["", "garbage", "é✓", "W10=", "AAAA" * 12, "\x00"])
def test_what_is_no_token_is_wrong(text):
    with pytest.raises(tokens.WrongToken):
        tokens.read(text, ASKED)


def test_a_token_does_not_show_its_position():
    whole = base64.urlsafe_b64decode(tokens.write([123456], ASKED))

    assert b"123456" not in whole
