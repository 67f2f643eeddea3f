"""Queries and the rows they give, over a handful of events."""

from __future__ import annotations

import json

import pytest

from sandbox.logs.insights import execution
from sandbox.logs.insights.execution import TooManyRows
from tests.sandbox.logs.insights import execute, run

REQUESTS = [
    {"path": "/a", "status": 200, "ms": 10, "user": {"name": "ann", "roles": ["x", "y"]}},
    {"path": "/b", "status": 500, "ms": 40.5, "ok": False},
    {"path": "/a", "status": 200, "ms": 20, "ok": True},
    {"path": "/c", "status": "404", "ms": 30, "@type": "late", "odd.name": 7},
    "plain text user=bob, method:GET, latency := 12",
]
LOG = [each if isinstance(each, str) else json.dumps(each) for each in REQUESTS]


def values(query, messages=LOG, **options):
    """The single column that a query shows, row by row."""
    return [next(iter(row.values()), None) for row in run(query, messages, **options)]


@pytest.mark.parametrize(
    ("condition", "paths"),
    [
        ("status = 200", ["/a", "/a"]),
        ('status = "200"', ["/a", "/a"]),
        ("status = 404", ["/c"]),
        ("status >= 404 and ms > 30", ["/b"]),
        ("status != 200", [None, "/c", "/b"]),
        ("ms < 30 or ms > 40", ["/a", "/b", "/a"]),
        ("not (status = 200)", [None, "/c", "/b"]),
        ("not status = 200 and ispresent(status)", ["/c", "/b"]),
        ('path like "/"', ["/c", "/a", "/b", "/a"]),
        ("path like /^.[ab]$/", ["/a", "/b", "/a"]),
        ("path like /^(?i).A$/", ["/a", "/a"]),
        ("path =~ /B/", []),
        ('path not like "/a"', [None, "/c", "/b"]),
        ("status like /4\\d\\d/", ["/c"]),
        ('path in ["/b", "/c"]', ["/c", "/b"]),
        ("status in [404, 500]", ["/c", "/b"]),
        ('path not in ["/a"]', [None, "/c", "/b"]),
        ("ok = 0", ["/b"]),
        ("ok = true", ["/a"]),
        ("ok", ["/a"]),
        ('user.roles.1 = "y"', ["/a"]),
        ('user.roles[0] = "x"', ["/a"]),
        ("user.roles[9] = 1", []),
        ("odd.name = 7", ["/c"]),
        ("`odd.name` = 7", ["/c"]),
        ('@@type = "late"', ["/c"]),
        ("@type = 1", []),
        ('@message like "plain"', [None]),
        ("@timestamp >= 1700000180000", [None, "/c"]),
        ('@logStream = "web/1" and @log = "123456789012:/ecs/news-api" and ms = 10', ["/a"]),
        ("@ingestionTime - @timestamp = 500 and ms = 10", ["/a"]),
        ('path > "/a"', ["/c", "/b"]),
        ("missing < 5", []),
    ],
)
def test_filter_keeps_what_fulfils_its_condition(condition, paths):
    assert values(f"filter {condition} | display path") == paths


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("2 ^ 3 ^ 2", "512"),
        ("-2 ^ 2", "-4"),
        ("10 % 3", "1"),
        ("7 / 2", "3.5"),
        ("1 / 3", "0.3333"),
        ("1 / 0", None),
        ('"a" + 1', None),
        ('"4" + 1', "5"),
        ("abs(-3)", "3"),
        ("ceil(1.2)", "2"),
        ("floor(-1.2)", "-2"),
        ("greatest(1, 10, 2)", "10"),
        ("least(3, 1, 2)", "1"),
        ("least(3, missing)", None),
        ("log(1)", "0"),
        ("log(0)", None),
        ("sqrt(16)", "4"),
        ("sqrt(-1)", None),
        ("tonumber('12')", "12"),
        ("if(1 < 2, 'yes', 'no')", "yes"),
        ("ispresent(ms)", "1"),
        ("ispresent(missing)", "0"),
        ("coalesce(missing, path, ms)", "/a"),
        ("isempty(missing)", "1"),
        ("isempty(path)", "0"),
        ("isblank('  ')", "1"),
        ("concat(path, '-', ms)", "/a-10"),
        ("strlen('åb')", "2"),
        ("toupper('abc')", "ABC"),
        ("tolower('ABC')", "abc"),
        ("trim('  x ')", "x"),
        ("trim('xyZfooxyZ', 'xyZ')", "foo"),
        ("ltrim('xyZfooxyZ', 'xyZ')", "fooxyZ"),
        ("rtrim('xyZfooxyZ', 'xyZ')", "xyZfoo"),
        ("substr('xyZfooxyZ', 3, 3)", "foo"),
        ("substr('xyZfooxyZ', 6)", "xyZ"),
        ("replace('foo', 'o', '0')", "f00"),
        ("strcontains('foobar', 'oba')", "1"),
        ("strcontains('foobar', 'x')", "0"),
        ("startsWith(path, '/')", "1"),
        ("endsWith(path, 'z')", "0"),
        ("fromMillis(1700000000123)", "2023-11-14 22:13:20.123"),
        ("toMillis(@timestamp)", "1700000000000"),
        ("@timestamp", "2023-11-14 22:13:20.000"),
        ("bin(1h)", "2023-11-14 22:00:00.000"),
        ("bin(30s)", "2023-11-14 22:13:00.000"),
        ("bin(2days)", "2023-11-13 00:00:00.000"),
        ("bin(1w)", "2023-11-13 00:00:00.000"),
        ("datefloor(@timestamp, 1mo)", "2023-11-01 00:00:00.000"),
        ("dateceil(@timestamp, 1q)", "2024-01-01 00:00:00.000"),
        ("dateceil(@timestamp, 5m)", "2023-11-14 22:15:00.000"),
        ("dateceil(fromMillis(1699999200000), 1h)", "2023-11-14 22:00:00.000"),
        ("isValidIp('10.0.0.1')", "1"),
        ("isValidIp('10.0.0')", "0"),
        ("isValidIpv4('::1')", "0"),
        ("isValidIpv6('::1')", "1"),
        ("isIpInSubnet('10.1.2.3', '10.1.0.0/16')", "1"),
        ("isIpv4InSubnet('10.2.2.3', '10.1.0.0/16')", "0"),
        ("isIpv6InSubnet('fe80::1', 'fe80::/10')", "1"),
        ("jsonStringify(user.roles)", '["x","y"]'),
        ("user", '{"name":"ann","roles":["x","y"]}'),
        ("1 = 1 and not 2 > 3", "1"),
    ],
)
def test_fields_computes_expressions(expression, shown):
    (row,) = run(f"fields {expression} as value", LOG[:1])

    assert row.get("value") == shown


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        (
            "fields path, status | filter ms > 35",
            [{"path": "/b", "status": "500"}],
        ),
        (
            "fields path | fields ms * 2 as twice | filter twice = 20",
            [{"path": "/a", "twice": "20"}],
        ),
        ("fields path, status | display ms | limit 2", [{}, {"ms": "30"}]),
        (
            "fields jsonParse('{\"a\": [1, 2]}') as j | fields j.a[1] as second | limit 1",
            [{"j": '{"a":[1,2]}', "second": "2"}],
        ),
        (
            'parse @message "user=*, method:*, latency := *" as w, m, l | filter l > 0 | display l',
            [{"l": "12"}],
        ),
        (
            "parse @message /user=(?<who>\\w+).*(?<last>\\d)$/ | filter last = 2 | display who",
            [{"who": "bob"}],
        ),
        (
            'parse path "/*" as letter | stats count(*) by letter | sort letter desc | limit 1',
            [{"letter": "c", "count(*)": "1"}],
        ),
        ("stats count(*), count(status) as s", [{"count(*)": "5", "s": "4"}]),
        ("stats sum(ms), avg(ms) as mean", [{"sum(ms)": "100.5", "mean": "25.125"}]),
        ("stats min(ms), max(ms)", [{"min(ms)": "10", "max(ms)": "40.5"}]),
        ("stats pct(ms, 50) as p, pct(ms, 100) as top", [{"p": "25", "top": "40.5"}]),
        ("stats stddev(ms) as s", [{"s": "13.1045"}]),
        ("stats count_distinct(path) as paths", [{"paths": "3"}]),
        (
            "stats earliest(path) as first, latest(path) as last",
            [{"first": "/a", "last": "/c"}],
        ),
        ("stats earliest(@timestamp) as t", [{"t": "1700000000000"}]),
        ("stats sortsFirst(path) as f, sortsLast(path) as l", [{"f": "/a", "l": "/c"}]),
        ("stats sum(ms) / count(ms) as mean | display floor(mean)", [{"floor(mean)": "25"}]),
        (
            "stats count(*) as n by path | sort n desc, path | limit 2",
            [{"path": "/a", "n": "2"}, {"n": "1"}],
        ),
        (
            "filter ms > 0 | stats max(ms) as m by bin(2m) | sort m",
            [
                {"bin(2m)": "2023-11-14 22:12:00.000", "m": "10"},
                {"bin(2m)": "2023-11-14 22:16:00.000", "m": "30"},
                {"bin(2m)": "2023-11-14 22:14:00.000", "m": "40.5"},
            ],
        ),
        (
            "filter ms > 0 | stats count(*) as n by path, status | filter n > 1",
            [{"path": "/a", "status": "200", "n": "2"}],
        ),
        (
            "stats count(*) as n by path | stats max(n) as most, count(*) as paths",
            [{"most": "2", "paths": "4"}],
        ),
        ("filter ms > 99 | stats count(*)", []),
        (
            "fields path | sort @timestamp asc | dedup path",
            [{"path": "/a"}, {"path": "/b"}, {"path": "/c"}, {}],
        ),
        ("filter ms > 0 | fields ms | sort ms desc | limit 2", [{"ms": "40.5"}, {"ms": "30"}]),
        ("filter ms > 0 | fields path | limit any 1", [{"path": "/c"}]),
        ("# a comment | with a pipe\nfields path # another\n| limit 1 | filter 1 = 2", []),
        (
            'fields "it\\\'s # no comment | here" as text | limit 1',
            [{"text": "it's # no comment | here"}],
        ),
    ],
)
def test_commands_give_these_rows(query, rows):
    assert run(query, LOG) == rows


def test_without_fields_the_timestamp_and_the_message_are_shown():
    assert run("filter ms = 10", LOG) == [
        {"@timestamp": "2023-11-14 22:13:20.000", "@message": LOG[0]}
    ]


def test_rows_come_newest_first_up_to_the_limit():
    assert values("fields @message", ["1", "2", "3"], limit=2) == ["3", "2"]


def test_sort_puts_text_in_natural_order_before_numbers():
    ascending = ["!:", "#", "*%04", "0#", "5A", "111A", "2345_", "@", "@_", "A", "A9876fghj"]
    ascending += ["a12345hfh", "0", "1", "2", "3"]

    assert values("fields @message | sort @message asc", ascending[::-1]) == ascending
    assert values("fields @message | sort @message desc", ascending) == ascending[::-1]


def test_dedup_keeps_every_row_that_lacks_a_field():
    messages = ['{"a": 1}', '{"b": 2}', '{"a": 1}', '{"b": 3}']

    assert values("fields @message | dedup a", messages) == ['{"b": 3}', '{"a": 1}', '{"b": 2}']


def test_a_top_of_many_rows_is_what_sorting_all_of_them_gives():
    numbers = [(7919 * number) % 100_003 for number in range(41_000)]
    messages = [f'{{"n": {number}}}' for number in numbers]

    found = values("fields n | sort n desc | limit 3", messages, step=1)

    assert found == [str(number) for number in sorted(numbers, reverse=True)[:3]]


@pytest.mark.parametrize("function", ["sum(a)", "avg(a)", "sum(a) * 10"])
def test_what_is_too_large_for_a_number_is_no_result(function):
    assert run(f"stats {function} as x", ['{"a": 1e308}'] * 2) == [{}]


def test_a_deviation_of_endless_numbers_is_none():
    assert run("stats stddev(a) as x", ['{"a": 1e400}', '{"a": 1}']) == [{"x": "nan"}]


def test_a_query_with_more_groups_than_the_sandbox_keeps_fails(monkeypatch):
    monkeypatch.setattr(execution, "MAX_KEPT", 3)

    assert len(run("stats count(*) by @message", ["a", "b", "c", "a"])) == 3
    with pytest.raises(TooManyRows):
        run("stats count(*) by @message", ["a", "b", "c", "d"])


def test_the_engine_counts_what_it_looked_at():
    seen = execute("filter status = 200 | limit 1", [*LOG, "åäö"])

    statistics = seen.statistics
    assert (statistics.scanned, statistics.matched) == (6, 2)
    assert statistics.bytes == sum(len(message) for message in LOG) + 6


def test_limit_any_stops_the_scan():
    execution = execute("fields path | limit any 2", LOG)

    assert execution.statistics.scanned == 2


def test_bins_of_one_period_hold_the_same_events_whatever_else_is_grouped():
    by_bin = run("stats count(*) as n by bin(2m)", LOG)
    by_both = run("stats count(*) as n by bin(2m), path", LOG)

    for row in by_bin:
        parts = [int(part["n"]) for part in by_both if part["bin(2m)"] == row["bin(2m)"]]
        assert sum(parts) == int(row["n"])


def test_of_a_large_object_the_first_two_hundred_fields_are_discovered():
    message = json.dumps({"a": {"n": list(range(150))}, **{f"f{n}": n for n in range(60)}})

    (row,) = run("fields a.n.149 as last, f49, f50, f59", [message])

    assert row == {"last": "149", "f49": "49"}


@pytest.mark.parametrize("depth", [500, 5000])
def test_a_message_nested_too_deeply_is_text(depth):
    nested = '{"a":' + "[" * depth + "]" * depth + "}"

    assert len(run("fields a | filter not ispresent(a)", [nested])) == 1
