"""What is a query and what is not."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.logs.insights.plan import plan
from sandbox.logs.insights.syntax import CompileError
from tests.sandbox.logs.insights import execute, run


@pytest.mark.parametrize(
    ("query", "message", "begin", "end"),
    [
        ("", "unexpected symbol found <EOF>", 0, 0),
        ("fields", "unexpected symbol found <EOF>", 6, 6),
        ("fields a |", "unexpected symbol found <EOF>", 10, 10),
        ("fields a | count()", "unexpected symbol found count", 11, 16),
        ("ERROR", "unexpected symbol found ERROR", 0, 5),
        ("fields a b", "unexpected symbol found b", 9, 10),
        ("filter a = = 1", "unexpected symbol found =", 11, 12),
        ("filter a like 5", "unexpected symbol found 5", 14, 15),
        ("filter a like /x", "unexpected symbol found /", 14, 15),
        ("filter a in 5", "unexpected symbol found 5", 12, 13),
        ("filter a in []", "unexpected symbol found ]", 13, 14),
        ("filter (a", "unexpected symbol found <EOF>", 9, 9),
        ("filter a ; b", "unexpected symbol found ;", 9, 10),
        ('filter a = "open', 'unexpected symbol found "', 11, 12),
        ("filter a not 5", "unexpected symbol found 5", 13, 14),
        ("limit 0", "unexpected symbol found 0", 6, 7),
        ("limit 100001", "unexpected symbol found 100001", 6, 12),
        ("limit 1.5", "unexpected symbol found 1.5", 6, 9),
        ("fields foo(a)", "unexpected symbol found foo", 7, 13),
        ("fields count(a)", "unexpected symbol found count", 7, 15),
        ("fields strlen(a, b)", "Invalid number of arguments for function strlen", 7, 19),
        ("fields bin(a)", "Invalid arguments for function bin", 7, 13),
        ("stats count(*) by bin(300s)", "unexpected symbol found 300s", 22, 26),
        ("stats count(*) by bin(5x)", "unexpected symbol found 5x", 22, 24),
        ("stats pct(a, b)", "Invalid arguments for function pct", 6, 15),
        ("stats pct(a, 101)", "Invalid arguments for function pct", 6, 17),
        ("stats a", "unexpected symbol found a", 6, 7),
        ("stats 1 + 1 as two", "unexpected symbol found two", 15, 18),
        ("stats count(*) by a | fields b", "Unknown symbols found in or after stats: b", 29, 30),
        (
            "stats count(*) by a | stats count(*) by bin(5m)",
            "Unknown symbols found in or after stats: @timestamp",
            40,
            47,
        ),
        ("fields a as x | fields b as x", "Ephemeral field is already defined: x", 28, 29),
        ("dedup a | sort b", "unexpected symbol found sort", 10, 14),
        ("dedup a | stats count(*)", "unexpected symbol found stats", 10, 15),
        (
            "stats count(*) by a | sort a | stats count(*) as n",
            "unexpected symbol found stats",
            31,
            36,
        ),
        (
            "stats count(*) as a | stats max(a) as b | stats max(b)",
            "unexpected symbol found stats",
            42,
            47,
        ),
        ("stats count(*) as n, max(a) as n", "Every column of stats needs a name of its own", 0, 5),
        (
            'parse @message "a *" as x, y',
            "The number of wildcards must match the number of fields",
            15,
            20,
        ),
        (
            "parse @message /a (.*)/",
            "A regular expression in parse needs named groups only",
            15,
            23,
        ),
    ],
)
def test_what_does_not_compile_is_said_where_it_stands(query, message, begin, end):
    with pytest.raises(CompileError) as refused:
        plan(query, 10)

    assert (refused.value.message, refused.value.begin, refused.value.end) == (message, begin, end)


@pytest.mark.parametrize(
    "command",
    [
        *(
            "pattern @message",
            "diff",
            "anomaly",
            "unmask @message",
            "filterIndex a = 1",
            "unnest a",
        ),
        *("SOURCE logGroups()", "join a", "lookup a", "expand a", "addtotals", "relevantfields a"),
    ],
)
def test_commands_that_are_not_here_are_refused_by_name(command):
    word = command.split(maxsplit=1)[0].lower()

    with pytest.raises(CompileError, match=f"does not support the command {word}"):
        plan(f"fields a | {command}", 10)


@pytest.mark.parametrize(
    "pattern",
    [
        *("/(/", "/[/", "/a{99999999999}/", "/(?<a>x)(?<a>y)/"),
        *("/(?P<a>x)/", r"/\p{Alpha}/", "/[[:alpha:]]/", "/[a-z&&[^b]]/", "/(?u)a/"),
    ],
)
def test_a_regular_expression_that_is_none_does_not_compile(pattern):
    with pytest.raises(CompileError, match="Invalid regular expression"):
        plan(f"filter a like {pattern}", 10)


def test_depth_has_an_end():
    with pytest.raises(CompileError, match="nested too deeply"):
        plan(f"filter {'(' * 5000}a{')' * 5000}", 10)
    with pytest.raises(CompileError, match="nested too deeply"):
        plan(f"fields {'2^' * 5000}2", 10)
    with pytest.raises(CompileError, match="nested too deeply"):
        plan(f"fields {'1+' * 4000}1", 10)


def test_a_long_chain_of_alternatives_is_no_depth():
    chain = " or ".join(f"a = {number}" for number in range(200))

    assert run(f"filter {chain}", ['{"a": 199}', '{"a": 200}'])[0]["@message"] == '{"a": 199}'


def test_a_flag_holds_up_to_the_end_of_its_group():
    messages = ["ab", "aB", "Ab", "AB"]

    found = [row["@message"] for row in run("filter @message like /^(?:(?i)a)b/", messages)]

    assert found == ["Ab", "ab"]


def test_classes_are_those_of_ascii_as_in_java():
    messages = ["٣", "3", "é", "É"]

    assert [row["@message"] for row in run(r"filter @message like /\w/", messages)] == ["3"]
    assert [row["@message"] for row in run("filter @message like /(?i)É/", messages)] == ["É"]


def test_case_does_not_matter_for_keywords_and_functions():
    rows = run("FIELDS StrLen(@message) AS n | FILTER n IN [2] OR NOT TRUE | LIMIT 1", ["ab"])

    assert rows == [{"n": "2"}]


WORDS = ["fields", "filter", "stats", "sort", "limit", "parse", "display", "dedup", "by", "as"]
WORDS += ["and", "or", "not", "in", "like", "a", "@message", "@timestamp", "b.c[0]", "`x y`", "5"]
WORDS += ["1.5", "5m", '"text"', "'*'", "/(?<g>a)/", "(", ")", "[", "]", ",", "|", "=", "!=", "<"]
WORDS += ["=~", "+", "-", "*", "/", "%", "^", "count", "avg", "pct", "bin", "strlen", "#", "\n"]


@given(st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join) | st.text(max_size=20))
def test_any_text_runs_or_does_not_compile(query):
    with suppress(CompileError):
        execution = execute(query, ['{"a": "5", "b": {"c": [1e400, NaN]}}', "text", ""])

        assert len(execution.results()) <= 3


def _both(children):
    return st.builds("({} {} {})".format, children, st.sampled_from("+-*"), children)


ARITHMETIC = st.recursive(
    st.integers(0, 99).map(str), lambda inner: _both(inner) | inner.map("(-{})".format)
)


@given(ARITHMETIC)
def test_arithmetic_is_what_it_is_elsewhere(expression):
    (row,) = run(f"fields {expression} as value", ["x"])

    assert float(row["value"]) == pytest.approx(eval(expression))


@given(
    st.lists(st.integers(-1000, 1000), min_size=1, max_size=30),
    st.floats(0, 100),
)
def test_a_percentile_lies_between_the_extremes_and_grows_with_its_share(numbers, share):
    messages = [f'{{"n": {number}}}' for number in numbers]

    (row,) = run(
        f"stats min(n) as l, pct(n, {share:f}) as p, max(n) as h, pct(n, 50) as m", messages
    )

    low, found, high, middle = (float(row[name]) for name in ("l", "p", "h", "m"))
    assert low <= found <= high
    assert (found <= middle) if share < 50 else (found >= middle - 1e-4)
