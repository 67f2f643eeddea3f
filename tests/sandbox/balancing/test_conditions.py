"""Which requests a listener rule takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.alb.actions import FixedResponse, Forward, Redirect
from sandbox.alb.message import Request
from sandbox.alb.routing import Router
from tests.sandbox.balancing.lab import path


class Client:
    def expects_continue(self):
        raise AssertionError("nobody asked to")


def request(target="/", headers=(), method="GET"):
    made = Request(Client())
    lines = [f"{method} {target} HTTP/1.1", *headers, "", ""]
    made.feed("\r\n".join(lines).encode("latin-1"))
    return made


def listening(*rules):
    """A router whose listener `l` has these rules and answers 404 by default."""
    router = Router()
    default = {"fixed": {"status": 404, "content_type": "text/plain", "body": ""}}
    plan = {"port": 1, "rules": [*rules, default]}
    router.apply({"version": 1, "listeners": {"l": plan}, "groups": {}})
    return router


def takes(conditions, asked, client="127.0.0.1"):
    router = listening({"conditions": conditions, "forward": {"g": 1}})
    return isinstance(router.action("l", asked, client), Forward)


def matches(pattern, text):
    """`*` and `?` by their definition, character by character."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(matches(pattern[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and matches(pattern[1:], text[1:])


@given(st.text("ab[]!?*", max_size=6), st.text("ab[]!", max_size=8))
def test_a_path_pattern_matches_by_the_definition_of_its_wildcards(pattern, rest):
    taken = takes(path(f"/{pattern}"), request(f"/{rest}"))

    assert taken == matches(pattern, rest)


@pytest.mark.parametrize(
    ("pattern", "target", "taken"),
    [
        ("/img/*", "/img/a/b.png", True),
        ("/img/*", "/img", False),
        ("/img/*", "/IMG/a", False),
        ("/img/?.png", "/img/a.png", True),
        ("/img/?.png", "/img/ab.png", False),
        ("/a", "/a?b=c", True),
        ("/a*c", "/a?b=c", False),
        ("/a b", "/a%20b", False),
        ("/a", "http://news/a", True),
        ("*", "/anything", True),
    ],
)
def test_paths_are_compared_with_their_case_and_without_the_query(pattern, target, taken):
    assert takes(path(pattern), request(target)) == taken


@pytest.mark.parametrize(
    ("pattern", "host", "taken"),
    [
        ("*.example.com", "WWW.example.com", True),
        ("*.Example.com", "www.example.com:8080", True),
        ("*.example.com", "example.com", False),
        ("a.example.com", "b.example.com", False),
    ],
)
def test_hosts_are_compared_without_case_and_port(pattern, host, taken):
    conditions = [{"Field": "host-header", "HostHeaderConfig": {"Values": [pattern]}}]

    assert takes(conditions, request(headers=[f"Host: {host}"])) == taken


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        (["x-agent: Some CHROME here"], True),
        (["X-Agent: none", "X-Agent: chrome"], True),
        (["X-Other: chrome"], False),
        ([], False),
    ],
)
def test_any_value_of_a_header_may_fit_whatever_its_case(headers, taken):
    config = {"HttpHeaderName": "X-Agent", "Values": ["*Chrome*", "safari"]}
    conditions = [{"Field": "http-header", "HttpHeaderConfig": config}]

    assert takes(conditions, request(headers=headers)) == taken


@pytest.mark.parametrize(
    ("target", "taken"),
    [
        ("/?version=V1", True),
        ("/?a=b&version=v1", True),
        ("/?version=v2", False),
        ("/?x=some-example-y", True),
        ("/?what=a*b", True),
        ("/?what=axb", False),
        ("/?list=[1]", True),
        ("/version=v1", False),
    ],
)
def test_a_query_string_fits_by_key_and_value_or_by_value(target, taken):
    rows = [{"Key": "version", "Value": "v1"}, {"Value": "*example*"}]
    rows += [{"Key": "what", "Value": "a\\*b"}, {"Key": "list", "Value": "[1]"}]
    conditions = [{"Field": "query-string", "QueryStringConfig": {"Values": rows}}]

    assert takes(conditions, request(target)) == taken


def test_methods_are_compared_with_their_case():
    config = {"Values": ["HEAD", "DELETE"]}
    conditions = [{"Field": "http-request-method", "HttpRequestMethodConfig": config}]

    assert takes(conditions, request(method="DELETE"))
    assert not takes(conditions, request(method="GET"))


def test_a_source_is_the_address_of_the_connection_whatever_the_headers_say():
    config = {"Values": ["192.0.2.0/24", "127.0.0.1/32"]}
    conditions = [{"Field": "source-ip", "SourceIpConfig": config}]

    assert takes(conditions, request())
    assert not takes(conditions, request(headers=["X-Forwarded-For: 192.0.2.1"]), "10.0.0.1")
    assert takes(conditions, request(), "192.0.2.77")


def test_all_conditions_of_a_rule_must_hold_and_the_first_rule_takes_the_request():
    both = [*path("/a*"), {"Field": "host-header", "Values": ["x.example"]}]
    router = listening(
        {"conditions": both, "forward": {"both": 1}},
        {"conditions": path("/a*"), "forward": {"one": 1}},
    )

    here = router.action("l", request("/a", ["Host: x.example"]), "127.0.0.1")
    there = router.action("l", request("/a", ["Host: y.example"]), "127.0.0.1")
    nowhere = router.action("l", request("/b", ["Host: x.example"]), "127.0.0.1")

    assert (here.shares, there.shares) == ((("both", 1.0),), (("one", 1.0),))
    assert nowhere == FixedResponse(404)
    assert router.action("gone", request(), "127.0.0.1") == FixedResponse(503)


class Place:
    port, protocol = 8001, "https"


@pytest.mark.parametrize(
    ("redirect", "location"),
    [
        (Redirect(301, protocol="HTTP"), b"http://news:8001/a/b?c=d"),
        (Redirect(301, host="m.#{host}", port="443"), b"https://m.news:443/a/b?c=d"),
        (Redirect(302, path="/new/#{path}", query=""), b"https://news:8001/new/a/b"),
        (Redirect(302, query="#{query}&e=f"), b"https://news:8001/a/b?c=d&e=f"),
    ],
)
def test_a_redirect_keeps_what_it_does_not_replace(redirect, location):
    asked = request("/a/b?c=d", ["Host: news:9000"])

    assert redirect.location(asked, Place) == location
