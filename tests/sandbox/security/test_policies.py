"""Policies are evaluated as IAM does: conditions, wildcards, denies."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import AwsError
from sandbox.identity.conditions import evaluate, like
from sandbox.identity.evaluator import (
    ALLOWED,
    EXPLICIT_DENY,
    IMPLICIT_DENY,
    Policy,
    Request,
    decide,
)

PROVIDER = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
FEDERATED_ACTION = "sts:AssumeRoleWithWebIdentity"


@pytest.mark.parametrize(
    ("operator", "wanted", "has", "holds"),
    [
        ("StringEquals", "main", "main", True),
        ("StringEquals", "main", "Main", False),
        ("StringEqualsIgnoreCase", "main", "Main", True),
        ("StringNotEquals", "main", "main", False),
        ("StringEquals", "repo:*", "repo:acme/news", False),
        ("StringLike", "repo:acme/*", "repo:acme/news:ref", True),
        ("StringLike", "repo:acme/new?", "repo:acme/news", True),
        ("StringNotLike", "repo:acme/*", "repo:other/news", True),
        ("ArnLike", "arn:aws:ecs:*:1:service/*", "arn:aws:ecs:us-east-1:1:service/a/b", True),
        ("ArnLike", "arn:aws:*:service/*", "arn:aws:ecs:us-east-1:1:service/a", False),
        ("NumericLessThan", "10", "9.5", True),
        ("NumericGreaterThanEquals", "10", "9.5", False),
        ("NumericEquals", "10", "ten", False),
        ("DateLessThan", "2026-03-03T00:00:00Z", "2026-03-02T12:00:00Z", True),
        ("DateGreaterThan", "1772452800", "2026-03-02T12:00:01Z", True),
        ("Bool", "true", "True", True),
        ("Bool", True, "true", True),
        ("IpAddress", "10.0.0.0/8", "10.20.3.4", True),
        ("NotIpAddress", "10.0.0.0/8", "10.20.3.4", False),
        ("BinaryEquals", "QQ==", "QQ==", True),
        ("Null", "true", "here", False),
        ("Null", "false", "here", True),
    ],
)
def test_an_operator_compares_as_iam_does(operator, wanted, has, holds):
    assert evaluate({operator: {"Key": wanted}}, {"key": [has]}).holds is holds


@pytest.mark.parametrize(
    ("operator", "holds"),
    [
        ("StringEquals", False),
        ("StringEqualsIfExists", True),
        ("StringNotEquals", True),
        ("ForAllValues:StringLike", True),
        ("ForAnyValue:StringLike", False),
        ("ForAnyValue:StringNotLike", False),
        ("ForAnyValue:StringNotLikeIfExists", True),
        ("Null", False),
    ],
)
def test_a_key_that_is_missing_counts_as_iam_says(operator, holds):
    verdict = evaluate({operator: {"Some:Key": "false"}}, {})

    assert verdict.holds is holds
    assert verdict.missing == ["Some:Key"]


@pytest.mark.parametrize(
    ("operator", "holds"),
    [("ForAllValues:StringEquals", False), ("ForAnyValue:StringEquals", True)],
)
def test_several_values_are_taken_together_or_singly(operator, holds):
    assert evaluate({operator: {"k": ["a", "b"]}}, {"k": ["a", "z"]}).holds is holds


def test_an_operator_iam_does_not_have_is_refused():
    with pytest.raises(AwsError) as refused:
        evaluate({"StringMatches": {"k": "v"}}, {"k": ["v"]})

    assert refused.value.code == "MalformedPolicyDocument"


@given(st.text(), st.text(max_size=3), st.text(max_size=3))
def test_a_star_is_any_text(value, before, after):
    assert like(value, "*")
    assert like(f"{before}{value}{after}", f"{literal(before)}*{literal(after)}")


@given(st.text())
def test_a_pattern_without_wildcards_is_only_itself(value):
    assert like(value, literal(value))
    assert not like(value + "x", literal(value))


def literal(text):
    """Text that stands for itself in a pattern."""
    return "".join(f"${{{c}}}" if c in "*?$" else c for c in text)


def policy(*statements):
    return Policy("one", "role", json.dumps({"Version": "2012-10-17", "Statement": statements}))


def statement(effect="Allow", **more):
    return {"Effect": effect, "Action": "*", "Resource": "*"} | more


def decision(*statements, action="ecs:UpdateService", resource="arn:r", context=None, caller=None):
    return decide([policy(*statements)], Request(action, resource, context or {}, caller))


@pytest.mark.parametrize(
    ("statements", "effect"),
    [
        ([], IMPLICIT_DENY),
        ([statement()], ALLOWED),
        ([statement(Action="ECS:updateservice")], ALLOWED),
        ([statement(Action=["s3:*", "ecs:Update*"])], ALLOWED),
        ([statement(Action="ecs:Describe*")], IMPLICIT_DENY),
        ([statement(Resource="arn:other")], IMPLICIT_DENY),
        ([statement(), statement("Deny", Action="ecs:*")], EXPLICIT_DENY),
        ([statement("Deny", Resource="arn:other"), statement()], ALLOWED),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], ALLOWED),
        ([{"Effect": "Allow", "NotAction": "ecs:*", "Resource": "*"}], IMPLICIT_DENY),
        ([{"Effect": "Allow", "Action": "*", "NotResource": "arn:r"}], IMPLICIT_DENY),
        ([statement(Condition={"StringEquals": {"k": "v"}})], IMPLICIT_DENY),
    ],
)
def test_a_deny_wins_and_silence_denies(statements, effect):
    assert decision(*statements).effect == effect


def test_what_decided_is_found_in_the_text():
    denied = decision(statement(), statement("Deny", Action="ecs:*"))

    (match,) = denied.matches
    assert json.loads(match.policy.text[match.start : match.end])["Effect"] == "Deny"


def test_a_policy_variable_is_the_callers():
    own = statement(Resource="arn:aws:s3:::logs/${aws:username}/*")

    mine = decision(own, resource="arn:aws:s3:::logs/dana/1", context={"aws:username": ["dana"]})
    nobody = decision(own, resource="arn:aws:s3:::logs/${aws:username}/1")

    assert (mine.effect, nobody.effect) == (ALLOWED, IMPLICIT_DENY)


@pytest.mark.parametrize(
    ("principal", "effect"),
    [
        ("*", ALLOWED),
        ({"AWS": "arn:aws:iam::123456789012:role/a"}, ALLOWED),
        ({"AWS": "123456789012"}, ALLOWED),
        ({"AWS": ["arn:aws:iam::123456789012:root"]}, ALLOWED),
        ({"AWS": "arn:aws:iam::123456789012:role/b"}, IMPLICIT_DENY),
        ({"Service": "ecs.amazonaws.com"}, IMPLICIT_DENY),
    ],
)
def test_a_resource_policy_names_who_may(principal, effect):
    caller = "arn:aws:iam::123456789012:role/a"

    assert decision(statement(Principal=principal), caller=caller).effect == effect


@pytest.mark.parametrize(
    ("owner", "effect"), [(["dana"], ALLOWED), (["sam"], IMPLICIT_DENY), ([], IMPLICIT_DENY)]
)
def test_a_condition_may_compare_two_of_the_requests_keys(owner, effect):
    own = statement(Condition={"StringEquals": {"aws:ResourceTag/owner": "${aws:username}"}})
    context = {"aws:username": ["dana"], "aws:resourcetag/owner": owner}

    assert decision(own, context=context).effect == effect


@pytest.mark.parametrize(
    ("principal", "effect"),
    [
        ({"Federated": PROVIDER}, ALLOWED),
        ({"AWS": "arn:aws:iam::123456789012:root"}, IMPLICIT_DENY),
        ({"AWS": "123456789012"}, IMPLICIT_DENY),
        ({"Federated": PROVIDER.replace("token.", "other.")}, IMPLICIT_DENY),
    ],
)
def test_who_trusts_the_account_does_not_trust_its_identity_provider(principal, effect):
    trust = statement(Principal=principal, Action="sts:*")

    assert decision(trust, action=FEDERATED_ACTION, caller=PROVIDER).effect == effect


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"Statement": [{"Effect": "Maybe"}]}'])
def test_a_policy_that_is_none_is_refused(text):
    with pytest.raises(AwsError) as refused:
        decide([Policy("one", "role", text)], Request("a:b", "*", {}))

    assert refused.value.code == "MalformedPolicyDocument"


@pytest.mark.parametrize("pattern", ["*a" * 40 + "*b", "?*" * 40 + "b", "a*" * 40 + "b?"])
def test_a_pattern_of_many_stars_comes_to_an_end(pattern):
    assert not like("a" * 5000, pattern)


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_stars_find_what_trying_every_place_finds(pattern, value):
    def fits(pattern, value):
        if not pattern:
            return not value
        if pattern[0] == "*":
            return any(fits(pattern[1:], value[n:]) for n in range(len(value) + 1))
        return bool(value) and pattern[0] in ("?", value[0]) and fits(pattern[1:], value[1:])

    assert like(value, pattern) == fits(pattern, value)


@pytest.mark.parametrize("value", ["${aws:userid}", r"\1", "${*}"])
def test_a_variables_value_is_not_looked_into(value):
    statement = {"Effect": "Allow", "Action": "*", "Resource": "a/${aws:username}/${aws:userid}"}
    context = {"aws:username": [value], "aws:userid": ["u"]}
    policy = Policy("p", "user", json.dumps({"Statement": statement}))

    escaped = value.replace("${*}", "*")

    assert decide([policy], Request("s3:Get", f"a/{escaped}/u", context)).effect == ALLOWED
    assert decide([policy], Request("s3:Get", "a/u/u", context)).effect == IMPLICIT_DENY


PARTS = st.sampled_from(["a", "*", "s3:Get*", "${", "", None, 5, True]) | st.just({"k": "v"})
ELEMENTS = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny", "Maybe"])},
    optional={
        name: PARTS | st.lists(PARTS, max_size=2)
        for name in ("Action", "NotAction", "Resource", "Principal", "Sid")
    }
    | {
        "Condition": PARTS
        | st.dictionaries(
            st.sampled_from(["StringLike", "BinaryEquals", "Null", "Foo"]),
            PARTS | st.dictionaries(st.just("k"), PARTS | st.lists(PARTS, max_size=2)),
            max_size=2,
        )
    },
)


@given(st.lists(ELEMENTS, max_size=2) | PARTS)
def test_any_policy_decides_or_is_refused(statement):
    policy = Policy("p", "user", json.dumps({"Statement": statement}))
    request = Request("s3:GetObject", "arn", {"k": ["v"]}, "arn:a:b:c:1:d")

    with suppress(AwsError):
        assert decide([policy], request).effect in (ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY)
