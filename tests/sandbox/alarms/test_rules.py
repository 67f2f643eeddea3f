"""Rules of composite alarms: what they mean and which are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.alarms.evaluation import State
from sandbox.alarms.rules import parse
from sandbox.errors import AwsError

NAMES = ("cpu", "disk reads", "5xx")


def holds(rule, **states):
    """Whether a rule holds; alarms that are not named are OK."""
    return parse(rule).holds(lambda name: State(states.get(name, "OK")))


@st.composite
def expressions(draw, depth=3):
    """A rule's text beside a function of the states that says the same in Python."""
    kind = draw(st.sampled_from(["state", "constant", "not", "and", "or"] if depth else ["state"]))
    if kind == "state":
        name, state = draw(st.sampled_from(NAMES)), draw(st.sampled_from(State))
        return f'{state}("{name}")', lambda states: states[name] is state
    if kind == "constant":
        value = draw(st.booleans())
        return str(value).upper(), lambda _: value
    left, left_holds = draw(expressions(depth=depth - 1))
    if kind == "not":
        return f"NOT ({left})", lambda states: not left_holds(states)
    right, right_holds = draw(expressions(depth=depth - 1))
    if kind == "and":
        return f"({left}) AND ({right})", lambda s: left_holds(s) and right_holds(s)
    return f"({left}) OR ({right})", lambda s: left_holds(s) or right_holds(s)


@given(expressions(), st.tuples(*[st.sampled_from(State)] * len(NAMES)))
def test_a_rule_means_what_it_says(expression, states):
    text, expected = expression
    known = dict(zip(NAMES, states, strict=True))

    assert parse(text).holds(known.__getitem__) is expected(known)


def test_and_binds_tighter_than_or_and_not_tighter_than_and():
    rule = "ALARM(a) OR NOT ALARM(b) AND ALARM(c)"

    assert holds(rule, a="ALARM", b="ALARM")
    assert holds(rule, c="ALARM")
    assert not holds(rule, b="ALARM", c="ALARM")


def test_names_may_be_quoted_and_given_by_arn():
    arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:db"

    rule = parse(
        f'ALARM("two words, and a comma") AND OK({arn}) AND ALARM("two words, and a comma")'
    )

    assert rule.children == ("two words, and a comma", arn)


@pytest.mark.parametrize(
    ("least", "ringing", "expected"),
    [("2", 1, False), ("2", 2, True), ("50%", 1, False), ("50%", 2, True), ("51%", 2, False)],
)
def test_at_least_counts_alarms_or_a_share_of_them(least, ringing, expected):
    states = dict.fromkeys("abcd"[:ringing], "ALARM")

    assert holds(f"AT_LEAST({least}, ALARM, (a, b, c, d))", **states) is expected


def test_at_least_counts_those_that_are_not_in_a_state():
    rule = "AT_LEAST(2, NOT OK, (a, b, c))"

    assert holds(rule, a="ALARM", b="INSUFFICIENT_DATA")
    assert not holds(rule, a="ALARM")


def test_constants_are_taken_in_any_case():
    assert holds("True")
    assert not holds("false")


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("()", "Error in AlarmRule [Unsupported token ')' at char 1]"),
        ("ALARM(a) ALARM(b)", "Error in AlarmRule [Unsupported token 'ALARM' at char 9]"),
        ("RED(a)", "Error in AlarmRule [Unsupported token 'RED' at char 0]"),
        ("ALARM(a) AND", "Error in AlarmRule [Unexpected end of rule at char 12]"),
        ("ALARM(a", "Error in AlarmRule [Unexpected end of rule at char 7]"),
        ('ALARM("a)', "Error in AlarmRule [Unsupported token '\"' at char 6]"),
        ("AT_LEAST(3, ALARM, (a, b))", "Error in AlarmRule [AT_LEAST 3 is out of range at char 9]"),
        ("AT_LEAST(x, ALARM, (a))", "Error in AlarmRule [Unsupported token 'x' at char 9]"),
        (
            " OR ".join(f"ALARM(a{number})" for number in range(101)),
            "AlarmRule must not contain more than 100 alarms",
        ),
        (
            " OR ".join(["ALARM(a)"] * 501),
            "AlarmRule must not contain more than 500 elements",
        ),
    ],
)
def test_mistakes_are_refused_with_their_place(rule, message):
    with pytest.raises(AwsError) as refused:
        parse(rule)

    assert refused.value.code == "ValidationError"
    assert refused.value.message == message
