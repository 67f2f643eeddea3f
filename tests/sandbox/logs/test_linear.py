"""Filter patterns whose messages are chosen by whoever wants to stop the account."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import AwsError
from sandbox.logs import patterns
from sandbox.logs.patterns import linear

LETTERS = "ab1_ \n|[^"
ATOMS = ["a", "b", "1", ".", r"\d", r"\w", r"\S", "[ab]", "[^a]", "[a-z1]", r"\|", "[|]", r"\x61"]
TIMES = ["", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "*?", "+?"]
PARTS = st.builds(str.__add__, st.sampled_from(ATOMS), st.sampled_from(TIMES))
ALTERNATIVES = st.builds(
    lambda begin, parts, end: begin + "".join(parts) + end,
    st.sampled_from(["", "", "^"]),
    st.lists(PARTS, max_size=5),
    st.sampled_from(["", "", "$"]),
)
EXPRESSIONS = st.lists(ALTERNATIVES, min_size=1, max_size=3).map("|".join)


@given(EXPRESSIONS, st.text(LETTERS, max_size=12))
def test_both_ways_of_matching_agree(expression, message):
    alternatives = [linear._Alternative(part) for part in linear._split(expression)]

    found = any(each.search(message) for each in alternatives)

    assert found == bool(re.search(expression, message, re.ASCII))
    assert found == linear.compiled(expression)(message)


@given(EXPRESSIONS, st.text(LETTERS, max_size=12))
def test_a_bar_parts_alternatives_where_it_stands_for_itself_nowhere(expression, message):
    parts = list(linear._split(expression))

    assert "|".join(parts) == expression
    assert any(re.search(part, message, re.ASCII) for part in parts) == bool(
        re.search(expression, message, re.ASCII)
    )


LONG = "a" * 250_000


@pytest.mark.parametrize(
    ("pattern", "message", "matches"),
    [
        ("%a*a*a*a*a*a*b%", LONG, False),
        ("%a*a*a*a*a*a*b%", LONG + "b", True),
        ("%x|.*.*.*.*.*.*=%", LONG, False),
        ("%^a{1,300}a{1,300}a{1,300}$%", LONG, False),
        ("{ $.path = %a+a+a+a+a+$% }", f'{{"path": "{LONG}b"}}', False),
        ("[x = %a*a*a*a*b%]", LONG, False),
        ("[a, b]", "[ " * 125_000, False),
        ("[a, b, ...]", '" ' * 125_001, True),
    ],
)
def test_a_message_of_any_length_is_matched(pattern, message, matches):
    assert (patterns.parse(pattern)(message) is not None) == matches


@pytest.mark.parametrize("expression", ["a{1001}", "a{1,1001}", r"\bfoo", "a++", "a^b", "x{999}yy"])
def test_what_is_beyond_awss_syntax_or_too_long_is_refused(expression):
    with pytest.raises(AwsError, match="Invalid filter pattern"):
        patterns.parse(f"%{expression}%")


def test_a_message_nested_too_deeply_to_be_read_does_not_match():
    nested = '{"a":' + "[" * 100_000 + "]" * 100_000 + "}"

    assert patterns.parse("{ $.a EXISTS }")(nested) is None
