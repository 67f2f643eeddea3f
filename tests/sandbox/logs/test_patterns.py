"""Filter patterns against messages, most of them from AWS's user guide."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import AwsError
from sandbox.logs import patterns

ACCESS = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'
TRAIL = json.dumps(
    {
        "eventType": "UpdateTrail",
        "sourceIPAddress": "111.111.111.111",
        "arrayKey": ["value", "another value"],
        "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
        "SomeObject": None,
        "ThisFlag": True,
        "latency": 0.5,
        "code": "500",
    }
)
USERS = json.dumps(
    {
        "user": {"id": 1, "email": "John.Stiles@example.com"},
        "users": [{"id": 2, "email": "John.Doe@example.com"}],
        "actions": ["GET", "PUT", "DELETE"],
        "coordinates": [[0, 1, 2], [4, 5, 6]],
    }
)


@pytest.mark.parametrize(
    ("pattern", "message", "matches"),
    [
        ("", "anything", True),
        (" ", "anything", True),
        ("ERROR", "[ERROR] A fatal exception has occurred", True),
        ("ERROR", "Exiting with ERRORCODE: -1", True),
        ("ERROR", "error", False),
        ("ERROR -Exiting", "Exiting with ERRORCODE: -1", False),
        ('"ERROR" - "Exiting"', "ERROR 1", True),
        ("ERROR Exception", "[ERROR] Unhandled Exception", True),
        ("ERROR Exception", "[ERROR] Unhandled", False),
        ("?ERROR ?WARN", "WARN message", True),
        ("?ERROR ?WARN", "INFO message", False),
        ("?ERROR INFO", "INFO message", True),
        ('"INTERNAL SERVER"', "500 INTERNAL SERVER ERROR", True),
        ('"say \\"hi\\""', 'say "hi"', True),
        (r"%5\d\d%", "status 503", True),
        (r"%5\d\d%", "status 403", False),
        ('{ $.eventType = "UpdateTrail" }', TRAIL, True),
        ("{ $.eventType = Update* }", TRAIL, True),
        ("{ $.eventType = *Trail }", TRAIL, True),
        ('{ $.eventType = "Up*Trail" }', TRAIL, False),
        ("{ $.sourceIPAddress != 123.123.* }", TRAIL, True),
        ('{ $.arrayKey[0] = "value" }', TRAIL, True),
        ("{ $.objectList[1].id = 2 }", TRAIL, True),
        ("{ $.objectList[1].id != 2 }", TRAIL, False),
        ("{ $.SomeObject IS NULL }", TRAIL, True),
        ("{ $.SomeOtherObject NOT EXISTS }", TRAIL, True),
        ("{ $.SomeObject NOT EXISTS }", TRAIL, False),
        ("{ $.ThisFlag IS TRUE }", TRAIL, True),
        ("{ $.ThisFlag IS FALSE }", TRAIL, False),
        ("{ $.latency >= 5e-1 }", TRAIL, True),
        ("{ $.latency > +1000 }", TRAIL, False),
        ("{ $.code = 500 }", TRAIL, True),
        ("{ $.arrayKey = 1 }", TRAIL, False),
        ("{ $.arrayKey != 1 }", TRAIL, False),
        ("{ $.missing != 1 }", TRAIL, False),
        (r"{ $.sourceIPAddress = %^111\.% }", TRAIL, True),
        ("{ $.eventType = * }", "not JSON", False),
        ("{ $.a = 1 }", '{"a": 1', False),
        ('{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }', USERS, True),
        ('{ ($.user.id = 2 && $.users[0].email = "no") || $.actions[2] = "GET" }', USERS, False),
        (
            '{ $.user.email = "John.*" || $.coordinates[0][1] = no && $.actions[2] = no }',
            USERS,
            True,
        ),
        (
            '{ ($.user.email = "John.*" || $.coordinates[0][1] = no) && $.actions[2] = no }',
            USERS,
            False,
        ),
        ("[ip, user, username, timestamp, request, status_code, bytes > 1000]", ACCESS, True),
        ("[ip, user, username, timestamp, request, status_code = 200, bytes]", ACCESS, False),
        ("[..., status_code = 4*, bytes]", ACCESS, True),
        ("[ip, user, ..., status_code = 4* && status_code != 404, bytes]", ACCESS, False),
        ("[ip, ..., request = *html*, status_code = 4* || status_code = 5*, bytes]", ACCESS, True),
        ("[ip, user]", ACCESS, False),
        ("[a, b, c, d, e, f, g, ..., h]", ACCESS, False),
    ],
)
def test_a_pattern_matches_what_aws_says_it_matches(pattern, message, matches):
    assert (patterns.parse(pattern)(message) is not None) is matches


def test_columns_lend_their_values_by_name_and_by_number():
    found = patterns.parse("[..., request=*.html*, status_code=4*,]")(ACCESS)

    assert found == {
        "$1": "127.0.0.1",
        "$2": "-",
        "$3": "frank",
        "$4": "10/Oct/2000:13:25:15 -0700",
        "$request": "GET /index.html HTTP/1.0",
        "$status_code": "404",
        "$7": "1534",
    }


def test_json_patterns_lend_the_values_they_look_at():
    found = patterns.parse("{ $.latency = * && $.user NOT EXISTS && $.ThisFlag IS TRUE }")(TRAIL)

    assert found == {"$.latency": "0.5", "$.ThisFlag": "true"}


@pytest.mark.parametrize(
    "pattern",
    [
        "foo:bar",
        '"open',
        "a%b%",
        "%(group)%",
        "%[%",
        "{ $.a }",
        "{ $.a = 1",
        "{ $.a < b }",
        "{ $.a = $.b }",
        "{ a = 1 }",
        "{ ($.a = 1 }",
        "[a, b",
        "[..., a, ...]",
        "[a = 1 && b = 2]",
        "%a% %b% %c%",
        "{" + "(" * 1000,
    ],
)
def test_a_pattern_aws_cannot_read_is_refused(pattern):
    with pytest.raises(AwsError) as refused:
        patterns.parse(pattern)

    assert refused.value.code == "InvalidParameterException"


@given(st.text("ab$.[]{}()&|<>=!*%\"' 1-?,\\", max_size=30))
def test_any_pattern_is_read_or_refused(pattern):
    with suppress(AwsError):
        match = patterns.parse(pattern)

        assert match(TRAIL) is None or isinstance(match(TRAIL), dict)
