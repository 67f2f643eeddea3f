"""What can be asked for, and how the sandbox says what is wrong with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.chaos.catalogue import AWS_API, KINDS, wanted
from sandbox.chaos.kinds import BadFault
from sandbox.chaos.register import EFFECTS
from sandbox.chaos.values import duration
from sandbox.costexplorer import lines


def test_every_fault_has_an_effect_and_every_effect_a_fault():
    assert EFFECTS.keys() == KINDS.keys()


def test_parameters_are_read_from_text_as_from_numbers():
    typed = wanted({"fault": "latency", "milliseconds": 300, "share": 0.5, "for": 120})
    written = wanted({"fault": "latency", "milliseconds": "300", "share": "0.5", "for": "2m"})

    assert typed == written
    assert written.parameters["milliseconds"] == 300.0
    assert written.seconds == 120.0


def test_a_body_of_before_faults_had_names_means_the_same():
    old = wanted({"operation": "UpdateService", "kind": "access-denied", "rate": 0.5, "count": 2})

    assert old == wanted({"fault": "deny", "operation": "UpdateService", "share": 0.5, "count": 2})


def test_an_action_may_be_written_as_iam_writes_it():
    denied = wanted({"fault": "deny", "operation": "elasticloadbalancing:DescribeRules"})

    assert denied.parameters["operation"] == "elbv2.DescribeRules"


def operation(name):
    return wanted({"fault": "throttle", "operation": name}).parameters["operation"]


@pytest.mark.parametrize("kind", [kind.name for kind in AWS_API if kind.name != "signature-window"])
def test_no_fault_of_the_api_can_be_on_an_operation_that_aws_does_not_have(kind):
    body = {"fault": kind, "operation": "UpdateServise", "error": "X"}
    body = {key: value for key, value in body.items() if key != "error" or kind == "api-error"}

    with pytest.raises(BadFault, match=r"did you mean UpdateService\b.*not 'UpdateServise'"):
        wanted(body)


@pytest.mark.parametrize(
    "name", ["*", "ecs.*", "UpdateService", "ce.GetCostAndUsage", "CreateQueue"]
)
def test_operations_of_every_service_of_the_account_can_be_meant(name):
    assert operation(name) == name


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Nope", "must be an operation that AWS has, not 'Nope'"),
        ("ecs.UpdateServices", "an operation that ecs has (did you mean ecs.UpdateService or"),
        ("ecs:DescribeAlarms", "that ecs has (did you mean cloudwatch.DescribeAlarms?), not"),
        ("esc.UpdateService", "must be of a service that AWS has (did you mean "),
        ("esc.*", "must be of a service that AWS has (did you mean "),
    ],
)
def test_a_mistyped_operation_is_refused_with_what_was_perhaps_meant(name, sentence):
    with pytest.raises(BadFault) as refused:
        operation(name)

    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "There is no fault None. Known: api-error, bad-image,"),
        ({"fault": "earthquake"}, "There is no fault 'earthquake'. Known: api-error,"),
        ({"fault": ["latency"]}, "There is no fault ['latency']."),
        ({"kind": "earthquake"}, "kind must be one of error, access-denied, hang, late-apply"),
        ({"fault": "latency"}, "latency needs milliseconds: added time."),
        ({"fault": "latency", "milliseconds": -1}, "must be a number from 0 to 60000, not -1."),
        ({"fault": "latency", "milliseconds": True}, "must be a number from 0 to 60000"),
        ({"fault": "surge", "rate": "often"}, "must be a number from 0 to 500, not 'often'."),
        ({"fault": "surge", "rate": "nan"}, "must be a number from 0 to 500, not 'nan'."),
        ({"fault": "throttle", "operation": "update service"}, "must look like UpdateService,"),
        ({"fault": "throttle", "operation": "*", "count": 1.5}, "must be a whole number from 1"),
        ({"fault": "errors", "status": 200}, "must be one of 500, 502, 503, 504, 429, not 200."),
        ({"fault": "zone-outage", "zone": "eu-west-1a"}, "must be one of us-east-1a, us-east-1b"),
        ({"fault": "surge", "rate": 5, "speed": 3}, "surge does not take speed; it takes rate."),
        ({"fault": "clock-step", "seconds": 5, "for": "1m"}, "happens once; it takes no 'for'."),
        ({"fault": "surge", "rate": 5, "for": "soon"}, "for must be a time like 90s, 5m or 2h"),
        ({"fault": "surge", "rate": 5, "for": "8d"}, "at most 7d, not '8d'."),
    ],
)
def test_what_nobody_can_mean_is_refused_with_a_sentence(body, sentence):
    with pytest.raises(BadFault) as refused:
        wanted(body)

    assert sentence in str(refused.value)


def test_a_cost_spike_is_cloudwatchs_in_the_words_of_the_bill():
    spike = wanted({"fault": "cost-spike", "usd_per_day": 5})

    assert spike.parameters["service"] == lines.CLOUDWATCH


@given(st.floats(min_value=0.001, max_value=3.0), st.sampled_from(["s", "m", "h", "d"]))
def test_durations_are_seconds_of_their_unit(count, unit):
    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86_400}[unit]

    assert duration(f"{count:.3f}{unit}") == pytest.approx(float(f"{count:.3f}") * seconds)
