"""Composite alarms: they follow others at once, hold their actions back, and keep them alive."""

from __future__ import annotations

import json

import pytest

from sandbox.errors import AwsError
from tests.sandbox.alarms.world import POLICY, TOPIC

ARN = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:"


@pytest.fixture
def pair(world):
    """Two alarms that nothing evaluates away."""
    for name in ("a", "b"):
        world.put(AlarmName=name, TreatMissingData="ignore", MetricName="Never")
        world.set_state(name, "OK")
    return world


def refused(world, operation, **parameters):
    with pytest.raises(AwsError) as error:
        world.call(operation, **parameters)
    return error.value.message


def suppressed_by(world):
    return world.alarm("outage").get("ActionsSuppressedBy")


def test_a_composite_is_evaluated_when_it_is_created_and_when_a_child_moves(pair):
    pair.put_composite("both", "ALARM(a) AND ALARM(b)", AlarmActions=[TOPIC])
    created = pair.alarm("both")

    pair.set_state("a", "ALARM")
    half = pair.state("both")
    pair.set_state("b", "ALARM")

    assert created["StateReason"] == f"{ARN}both was created and its alarm rule evaluates to OK"
    assert [each["arn"] for each in json.loads(created["StateReasonData"])["triggeringAlarms"]] == [
        f"{ARN}a",
        f"{ARN}b",
    ]
    assert half == "OK"
    ringing = pair.alarm("both")
    assert ringing["StateValue"] == "ALARM"
    assert ringing["StateReason"] == (
        f"{ARN}b transitioned to ALARM at Sunday 22 November, 2026 12:00:59 UTC"
    )
    (event,) = pair.told
    assert json.loads(event.message)["TriggeringChildren"] == [
        {
            "Arn": f"{ARN}b",
            "State": {"Value": "ALARM", "Timestamp": "2026-11-22T12:00:59.000+0000"},
        }
    ]


def test_composites_follow_composites(pair):
    pair.put_composite("inner", "ALARM(a)")
    pair.put_composite("outer", f"ALARM({ARN}inner) AND NOT ALARM(b)")

    pair.set_state("a", "ALARM")

    assert pair.state("outer") == "ALARM"


def test_a_changed_rule_is_evaluated_at_once(pair):
    pair.put_composite("outage", "ALARM(a)")

    pair.put_composite("outage", "NOT ALARM(a)")

    changed = pair.alarm("outage")
    assert changed["StateValue"] == "ALARM"
    assert changed["StateReason"].endswith("was updated and its alarm rule evaluates to ALARM")


def test_a_composites_state_that_was_set_lasts_until_a_child_moves(pair):
    pair.put_composite("outage", "ALARM(a) OR ALARM(b)")
    pair.set_state("outage", "ALARM")

    pair.minutes(None, None, None)
    kept = pair.state("outage")
    pair.set_state("a", "INSUFFICIENT_DATA")

    assert (kept, pair.state("outage")) == ("ALARM", "OK")


def test_a_cycle_is_not_evaluated_and_ends_with_a_changed_rule(pair):
    pair.put_composite("x", "ALARM(a)")
    pair.put_composite("y", "ALARM(x) OR ALARM(a)")
    pair.put_composite("x", "ALARM(y)")

    pair.set_state("a", "ALARM")
    stuck = pair.state("y")
    message = refused(pair, "delete_alarms", AlarmNames=["x"])
    pair.put_composite("x", "FALSE")
    pair.set_state("a", "OK")
    pair.set_state("a", "ALARM")

    assert stuck == "OK"
    assert message == "Cannot delete x as there are composite alarm(s) depending on it."
    assert pair.state("y") == "ALARM"


def test_children_are_kept_while_a_composite_follows_them(pair):
    pair.put_composite("outage", "ALARM(a) OR ALARM(b)")

    message = refused(pair, "delete_alarms", AlarmNames=["a", "b"])
    pair.call("delete_alarms", AlarmNames=["a", "b", "outage"])

    assert message == "Cannot delete a,b as there are composite alarm(s) depending on them."
    assert list(pair.book) == []


def test_two_composites_are_not_deleted_in_one_request(pair):
    pair.put_composite("one", "ALARM(a)")
    pair.put_composite("two", "ALARM(b)")

    message = refused(pair, "delete_alarms", AlarmNames=["one", "two"])

    assert message == "Only one composite alarm can be deleted in one request"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"AlarmRule": "ALARM(a) OR ALARM(gone)"},
            "Could not save the composite alarm as alarms [gone] in the alarm rule do not exist",
        ),
        ({"AlarmActions": [POLICY]}, f"Invalid action for a composite alarm: {POLICY}"),
        (
            {"AlarmActions": ["arn:aws:automate:us-east-1:ec2:reboot"]},
            "Invalid action for a composite alarm: arn:aws:automate:us-east-1:ec2:reboot",
        ),
        ({"ActionsSuppressor": "gone"}, "The ActionsSuppressor gone does not exist"),
        (
            {"ActionsSuppressor": "b"},
            (
                "ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod are required "
                "with an ActionsSuppressor"
            ),
        ),
        (
            {"ActionsSuppressorWaitPeriod": 1},
            (
                "ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod need an "
                "ActionsSuppressor"
            ),
        ),
        ({"AlarmName": "a"}, "There is an alarm of another type named a"),
    ],
)
def test_composites_that_make_no_sense_are_refused(pair, changed, message):
    parameters = {"AlarmName": "outage", "AlarmRule": "ALARM(a)", **changed}

    assert refused(pair, "put_composite_alarm", **parameters) == message


def test_a_suppressor_holds_actions_back_until_its_extension_is_over(pair):
    pair.put_composite(
        "outage",
        "ALARM(a)",
        AlarmActions=[TOPIC],
        ActionsSuppressor=f"{ARN}b",
        ActionsSuppressorWaitPeriod=120,
        ActionsSuppressorExtensionPeriod=60,
    )
    pair.minutes(None, None, None)
    pair.set_state("a", "ALARM")
    seen = [suppressed_by(pair)]

    pair.set_state("b", "ALARM")
    seen.append(suppressed_by(pair))
    pair.minutes(None, None, None)
    seen.append(suppressed_by(pair))
    pair.set_state("b", "OK")
    seen.append(suppressed_by(pair))
    told_during_extension = len(pair.told)
    pair.minutes(None)
    seen.append(suppressed_by(pair))

    assert seen == ["WaitPeriod", "Alarm", "Alarm", "ExtensionPeriod", None]
    assert told_during_extension == 0
    assert [(event.alarm_name, event.new_state) for event in pair.told] == [("outage", "ALARM")]


def test_a_suppressor_is_kept_while_it_is_needed(pair):
    pair.put_composite(
        "outage",
        "ALARM(a)",
        ActionsSuppressor="b",
        ActionsSuppressorWaitPeriod=0,
        ActionsSuppressorExtensionPeriod=0,
    )

    message = refused(pair, "delete_alarms", AlarmNames=["b"])

    assert message == "Cannot delete b as there are composite alarm(s) depending on it."


def test_no_wait_means_no_delay(pair):
    pair.put_composite(
        "outage",
        "ALARM(a)",
        AlarmActions=[TOPIC],
        ActionsSuppressor="b",
        ActionsSuppressorWaitPeriod=0,
        ActionsSuppressorExtensionPeriod=0,
    )

    pair.set_state("a", "ALARM")

    assert [event.new_state for event in pair.told] == ["ALARM"]
