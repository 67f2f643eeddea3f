"""Arithmetic of metric math against plain Python, for any tree and any gaps."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sandbox.cloudwatch.metric_math import functions, grammar
from sandbox.cloudwatch.metric_math.evaluator import Evaluator
from sandbox.cloudwatch.metric_math.values import Series

LENGTH = 6
numbers = st.integers(-50, 50).map(float)
rows = st.lists(st.one_of(numbers, st.just(math.nan)), min_size=LENGTH, max_size=LENGTH)
leaves = st.one_of(st.integers(0, 9).map(str), st.sampled_from(["a", "b"]))


def _grown(inner):
    pair = st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner)
    return st.one_of(
        pair.map(lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"),
        inner.map(lambda part: f"(-{part})"),
    )


class Around:
    """Two series and nothing else."""

    start = 0

    def __init__(self, **rows):
        self.rows = {name: Series(60, np.array(row)) for name, row in rows.items()}

    def value(self, name):
        return self.rows[name]


def by_hand(node, a, b):
    """The rule of the guide for one timestamp: (value or None, whether it is a series)."""
    match node:
        case grammar.Number(value):
            return value, False
        case grammar.Name(name):
            value = {"a": a, "b": b}[name]
            return (None if math.isnan(value) else value), True
        case grammar.Negative(operand):
            return by_hand(grammar.Binary("-", grammar.Number(0.0), operand), a, b)
        case grammar.Binary(sign, left, right):
            return pair(sign, by_hand(left, a, b), by_hand(right, a, b))


def pair(sign, left, right):
    (one, one_is_series), (other, other_is_series) = left, right
    series = one_is_series or other_is_series
    if one_is_series and other_is_series:
        if one is None and other is None:
            return None, True
        one, other = one or 0.0, other or 0.0
    if one is None or other is None or (sign == "/" and other == 0):
        return None, series
    computed = {"+": one + other, "-": one - other, "*": one * other}
    return computed[sign] if sign in computed else one / other, series


@given(st.recursive(leaves, _grown, max_leaves=12), rows, rows)
def test_arithmetic_is_that_of_plain_python(expression, a, b):
    tree = grammar.parse(f"a * 0 + b * 0 + {expression}")

    found = Evaluator(Around(a=a, b=b)).value(tree)

    for slot in range(LENGTH):
        expected, _ = by_hand(tree, a[slot], b[slot])
        value = found.values[slot]
        if expected is None:
            assert math.isnan(value)
        else:
            assert math.isclose(value, expected, rel_tol=1e-9, abs_tol=1e-9)


@given(st.lists(rows, min_size=1, max_size=4))
def test_sums_over_an_array_are_the_sums_of_what_is_there(table):
    array = tuple(Series(60, np.array(row)) for row in table)

    found = functions.reduce("SUM", array).values

    for slot in range(LENGTH):
        there = [row[slot] for row in table if not math.isnan(row[slot])]
        assert found[slot] == sum(there) if there else math.isnan(found[slot])


@given(rows)
def test_differences_add_up_to_the_last_less_the_first(row):
    series = Series(60, np.array(row))
    known = series.known()

    differences = functions.each("DIFF", series)

    total = differences.known().sum()
    assert total == (known[-1] - known[0] if len(known) else 0)


@given(rows, numbers)
def test_filling_changes_nothing_that_is_there(row, filler):
    series = Series(60, np.array(row))

    found = functions.filled(series, filler).values

    assert found.tolist() == [filler if math.isnan(value) else value for value in row]


@given(st.text(alphabet="am1() +-*/^<>=!&|,[]'\"{}E.SUM", max_size=40))
def test_any_text_is_a_tree_or_invalid_syntax(text):
    try:
        tree = grammar.parse(text)
    except grammar.InvalidSyntax:
        return

    assert all(name in text for name in grammar.names(tree))
