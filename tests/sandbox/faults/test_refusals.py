"""AWS's words in each protocol, and which calls a switch hits."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest

from sandbox import clock, refusals
from sandbox.errors import AwsError
from sandbox.refusals import Arrival
from sandbox.switches import EXEMPT_KEY, ConnectionDropped, Switch, Switches
from sandbox.wire import Answer

LIST = Arrival("ecs", "ListClusters", "json", "AKIA")


@pytest.mark.parametrize(
    ("refusal", "protocol", "code", "status"),
    [
        (refusals.throttled, "json", "ThrottlingException", 400),
        (refusals.throttled, "query", "Throttling", 400),
        (refusals.throttled, "ec2", "RequestLimitExceeded", 503),
        (refusals.throttled, "rest-xml", "SlowDown", 503),
        (refusals.throttled, "rest-json", "ThrottlingException", 429),
        (refusals.expired_credentials, "json", "ExpiredTokenException", 400),
        (refusals.expired_credentials, "query", "ExpiredToken", 403),
        (refusals.expired_credentials, "ec2", "RequestExpired", 400),
        (refusals.unknown_credentials, "json", "UnrecognizedClientException", 400),
        (refusals.unknown_credentials, "query", "InvalidClientTokenId", 403),
        (refusals.unknown_credentials, "ec2", "AuthFailure", 401),
        (refusals.unknown_operation, "json", "UnknownOperationException", 400),
        (refusals.unknown_operation, "query", "InvalidAction", 400),
    ],
)
def test_a_refusal_has_its_protocols_code(refusal, protocol, code, status):
    refused = refusal(Arrival("any", "Some", protocol))

    assert (refused.code, refused.status) == (code, status)


def test_an_explicit_denial_says_so():
    rules = Arrival("elbv2", "DescribeRules", "query")

    implicit = refusals.denied(rules, explicit=False)
    explicit = refusals.denied(rules, explicit=True)

    assert implicit.code == explicit.code == "AccessDenied"
    action = "elasticloadbalancing:DescribeRules"
    assert f"not authorized to perform: {action} on resource: *" in implicit.message
    assert implicit.message.endswith(f"because no identity-based policy allows the {action} action")
    assert explicit.message.endswith("with an explicit deny in an identity-based policy")


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(-6, "Signature expired: {} is now earlier than"), (6, "Signature not yet current: {} is")],
)
def test_a_request_out_of_time_is_told_both_times(minutes, words):
    signed = clock.now() + timedelta(minutes=minutes)
    late = Arrival("ecs", "ListClusters", "json", signed_at=signed)

    refused = refusals.out_of_time(late)

    assert refusals.out_of_window(late)
    assert refused.code == "InvalidSignatureException"
    assert refused.message.startswith(words.format(f"{signed:%Y%m%dT%H%M%SZ}"))
    assert refused.message.endswith(" 5 min.)")


def test_a_request_in_time_is_not_out_of_the_window():
    signed = clock.now() - timedelta(minutes=4)

    assert not refusals.out_of_window(Arrival("ecs", "X", "json", signed_at=signed))
    assert not refusals.out_of_window(Arrival("ecs", "X", "json"))


@pytest.mark.parametrize(
    ("operation", "hit"),
    [
        ("*", True),
        ("ecs.*", True),
        ("ListClusters", True),
        ("ecs.ListClusters", True),
        ("elbv2.*", False),
        ("sts.ListClusters", False),
        ("ListServices", False),
    ],
)
def test_a_switch_concerns_what_it_names(operation, hit):
    assert Switch("throttle", operation).hits(LIST, random.Random(1)) is hit


def test_a_switch_for_one_caller_leaves_the_others_alone():
    switch = Switch("throttle", access_key="AKIA")
    other = Arrival("ecs", "ListClusters", "json", "AKIB")

    assert switch.hits(LIST, random.Random(1))
    assert not switch.hits(other, random.Random(1))


def test_a_switch_hits_its_share_of_calls():
    switch, dice = Switch("throttle", share=0.25), random.Random(1)

    hits = sum(switch.hits(LIST, dice) for _ in range(4000))

    assert 890 < hits < 1110
    assert switch.hit == hits


def test_a_switch_with_a_count_wears_out():
    switch = Switch("throttle", remaining=2)

    assert [switch.hits(LIST, random.Random(1)) for _ in range(4)] == [True, True, False, False]


def test_the_same_dice_hit_the_same_calls():
    def hits(seed):
        dice = random.Random(seed)
        switch = Switch("throttle", share=0.5)
        return [switch.hits(LIST, dice) for _ in range(40)]

    assert hits(3) == hits(3) != hits(4)


def before(switch, arrival=LIST):
    switches = Switches([switch])
    return switches, asyncio.run(switches.before(arrival))


def test_scenarios_own_calls_are_neither_hit_nor_counted():
    own = Arrival("ecs", "ListClusters", "json", EXEMPT_KEY)

    switches, found = before(Switch("throttle"), own)

    assert found is None
    assert not switches.calls


def test_a_refusing_switch_raises_and_the_call_is_counted():
    switches = Switches([Switch("server-error", status=503)])

    with pytest.raises(AwsError) as refused:
        asyncio.run(switches.before(LIST))

    assert (refused.value.code, refused.value.status) == ("ServiceUnavailable", 503)
    assert switches.calls == {"ListClusters": 1}


def test_a_dropped_call_is_not_let_through():
    with pytest.raises(ConnectionDropped):
        before(Switch("drop"))


def test_answers_are_lost_cut_or_replaced():
    answer = Answer(200, b"0123456789", {"x": "y"})

    assert Switch("late-apply").spoil(answer) is None
    assert Switch("corrupt", detail="truncated").spoil(answer) == Answer(200, b"01234", {"x": "y"})
    assert Switch("corrupt", detail="html").spoil(answer).headers == {"Content-Type": "text/html"}
