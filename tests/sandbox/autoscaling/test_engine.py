"""What an alarm does to a service, and what the activities say of it."""

from __future__ import annotations

import json

import pytest

from sandbox.autoscaling import fulfilment
from sandbox.autoscaling.timetable import Timetable
from sandbox.errors import AwsError
from tests.sandbox.autoscaling.world import AT, RESOURCE, World

HOUR = 3600


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr(fulfilment, "LOOK_EVERY", 0.0)
    return World(tmp_path)


def breach(threshold, *points):
    return json.dumps({"threshold": threshold, "recentDatapoints": list(points)})


def up(lower, adjustment, upper=None):
    bounds = {"MetricIntervalLowerBound": lower}
    bounds |= {"MetricIntervalUpperBound": upper} if upper else {}
    return bounds | {"ScalingAdjustment": adjustment}


# -- target tracking ---------------------------------------------------------------------------


def test_a_high_alarm_scales_out_in_proportion_and_the_activity_reads_like_awss(world):
    world.track()

    world.ring("cpu-AlarmHigh-1", 100.0, 90.0)

    (activity,) = world.activities()
    assert world.service.desired == 4
    assert activity["Description"] == "Setting desired count to 4."
    assert activity["Cause"] == "monitor alarm cpu-AlarmHigh-1 in state ALARM triggered policy cpu"
    assert activity["StatusCode"] == "Successful"
    assert activity["StatusMessage"] == (
        "Successfully set desired count to 4. Change successfully fulfilled by ecs."
    )
    assert activity["EndTime"] >= activity["StartTime"]


def test_an_activity_is_in_progress_until_its_tasks_run(world):
    world.track()
    world.controller.starts = False

    world.ring("cpu-AlarmHigh-1", 100.0)

    (activity,) = world.activities()
    assert activity["StatusCode"] == "InProgress"
    assert activity["StatusMessage"].endswith("Waiting for change to be fulfilled by ecs.")
    assert "EndTime" not in activity


def test_a_change_that_something_else_overtook_is_overridden(world):
    world.track()
    world.controller.starts = False
    world.ring("cpu-AlarmHigh-1", 100.0)

    world.service.desired = 7
    world.follow(world.fulfilment.resume)

    (activity,) = world.activities()
    assert activity["StatusCode"] == "Overridden"
    assert activity["StatusMessage"] == (
        "Successfully set desired count to 4. Found it was later changed to 7."
    )


def test_a_change_nobody_fulfils_is_given_up(world, monkeypatch):
    world.track()
    world.controller.starts = False
    monkeypatch.setattr(fulfilment, "GIVE_UP_AFTER", 0.0)

    world.ring("cpu-AlarmHigh-1", 100.0)

    assert world.activities()[0]["StatusCode"] == "Unfulfilled"


def test_a_restart_goes_on_following_what_it_began(world):
    world.track()
    world.controller.starts = False
    world.ring("cpu-AlarmHigh-1", 100.0)

    world.load()
    world.controller.starts = True
    world.controller.scale(world.service, 4)
    world.follow(world.fulfilment.resume)

    assert world.target.cooldown.out_base == 2
    assert world.activities()[0]["StatusCode"] == "Successful"


def test_a_cooldown_stops_the_second_alarm_but_not_a_larger_one(world):
    world.track()
    world.ring("cpu-AlarmHigh-1", 100.0)

    world.ring("cpu-AlarmHigh-1", 100.0)
    same = world.service.desired
    world.ring("cpu-AlarmHigh-1", 150.0)

    assert same == 4
    assert world.service.desired == 5


def test_at_the_maximum_the_activity_tells_why_nothing_happened_once(world):
    world.track()
    world.controller.scale(world.service, 10)

    world.ring("cpu-AlarmHigh-1", 100.0)
    world.ring("cpu-AlarmHigh-1", 99.0)

    (activity,) = world.activities()
    assert activity["Description"] == "Attempting to scale due to alarm triggered"
    assert activity["StatusCode"] == "Failed"
    assert activity["NotScaledReasons"] == [{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 10}]


def test_scale_in_takes_the_highest_of_fifteen_minutes(world):
    world.track()
    world.controller.scale(world.service, 8)

    world.ring("cpu-AlarmLow-1", 5.0, *[6.0] * 9, 30.0, *[6.0] * 4, 50.0)

    assert world.service.desired == 4


def test_scale_in_waits_until_every_policy_is_ready(world):
    world.track()
    world.track("requests", target=1000.0)
    world.controller.scale(world.service, 8)

    world.ring("cpu-AlarmLow-1", 6.0)
    alone = world.service.desired
    world.ring("requests-AlarmLow-1", 600.0)

    assert alone == 8
    assert world.service.desired == 5


def test_a_policy_without_scale_in_does_not_hold_the_others_back(world):
    world.track()
    world.track("requests", target=1000.0, DisableScaleIn=True).alarms.pop()
    world.controller.scale(world.service, 8)

    world.ring("cpu-AlarmLow-1", 6.0)

    assert world.service.desired == 2


def test_scale_in_rests_while_a_deployment_runs_and_scale_out_does_not(world):
    world.track()
    world.controller.scale(world.service, 4)
    world.deploy()

    world.ring("cpu-AlarmLow-1", 6.0)
    reasons = world.activities()[0]["NotScaledReasons"]
    world.ring("cpu-AlarmHigh-1", 90.0)

    assert reasons[0]["Code"] == "TargetServicePutResourceAsUnscalable"
    assert world.service.desired == 6


def test_one_task_fewer_that_would_be_too_busy_is_anticipated(world):
    world.track()
    world.controller.scale(world.service, 3)

    world.ring("cpu-AlarmLow-1", 45.0)

    reason = {"Code": "AutoScalingAnticipatedFlapping", "CurrentCapacity": 3}
    assert world.activities()[0]["NotScaledReasons"] == [reason]


@pytest.mark.parametrize(("alarm", "side"), [("High", "Out"), ("Low", "In")])
def test_what_is_suspended_leaves_no_trace(world, alarm, side):
    world.track()
    world.controller.scale(world.service, 4)
    world.target.suspended[f"DynamicScaling{side}Suspended"] = True

    world.ring(f"cpu-Alarm{alarm}-1", 100.0 if alarm == "High" else 5.0)

    assert world.service.desired == 4
    assert world.activities() == []


def test_an_alarm_without_data_points_scales_nothing(world):
    world.track()

    world.ring("cpu-AlarmHigh-1")

    assert world.service.desired == 2


def test_an_action_that_is_no_policy_is_refused(world):
    with pytest.raises(AwsError) as refused:
        world.ring("cpu-AlarmHigh-1", 100.0, action="arn:other")

    assert refused.value.code == "ObjectNotFoundException"


def test_the_cooldown_of_a_scale_in_begins_when_its_tasks_are_gone(world):
    world.track(ScaleInCooldown=HOUR)
    world.controller.scale(world.service, 8)

    world.ring("cpu-AlarmLow-1", 45.0)
    end = world.activities()[0]["EndTime"].timestamp()
    world.ring("cpu-AlarmLow-1", 5.0)

    assert world.target.cooldown.in_until == pytest.approx(end + HOUR, abs=1)
    assert world.service.desired == 6


# -- step scaling ------------------------------------------------------------------------------


def test_the_size_of_the_breach_chooses_the_step(world):
    world.step(up(0, 1, 20), up(20, 3), Cooldown=0)

    world.ring("steps", 75.0, data=breach(70, 75.0))
    little = world.service.desired
    world.ring("steps", 95.0, data=breach(70, 95.0))

    assert little == 3
    assert world.service.desired == 6


@pytest.mark.parametrize(
    ("kind", "expected"), [("Average", 5), ("Maximum", 5), ("Minimum", 3), (None, 5)]
)
def test_data_points_are_aggregated_as_the_policy_says(world, kind, expected):
    more = {"MetricAggregationType": kind} if kind else {}
    world.step(up(0, 1, 20), up(20, 3), **more)

    world.ring("steps", 110.0, 75.0, 500.0, data=breach(70, 75.0, 110.0))

    assert world.service.desired == expected


def test_in_a_cooldown_a_larger_step_counts_what_the_first_one_added(world):
    world.step(up(0, 2, 20), up(20, 3))

    world.ring("steps", 75.0, data=breach(70, 75.0))
    world.ring("steps", 95.0, data=breach(70, 95.0))

    assert world.service.desired == 5


def test_a_negative_step_removes_capacity(world):
    world.controller.scale(world.service, 6)
    world.step({"MetricIntervalUpperBound": 0, "ScalingAdjustment": -3})

    world.ring("steps", 10.0, data=breach(20, 10.0))

    assert world.service.desired == 3


def test_set_alarm_state_means_the_step_at_the_threshold(world):
    world.step(up(0, 1, 20), up(20, 3))

    world.ring("steps")

    assert world.service.desired == 3


def test_a_breach_no_step_covers_changes_nothing(world):
    world.step(up(20, 3))

    world.ring("steps", 75.0, data=breach(70, 75.0))

    assert world.service.desired == 2
    assert world.activities() == []


# -- scheduled actions -------------------------------------------------------------------------


def test_a_scheduled_action_sets_the_limits_and_brings_the_service_within_them(world):
    world.schedule("morning", "at(2026-03-04T11:00:00)", MinCapacity=5, MaxCapacity=20)
    timetable = Timetable(world.book, world.fulfilment)

    world.follow(lambda: timetable.round(AT.replace(hour=11)))

    scaled, limits = world.activities()
    assert world.service.desired == 5
    assert scaled["Cause"] == "minimum capacity was set to 5"
    assert limits["Cause"] == "scheduled action name morning was triggered"
    assert limits["Description"] == "Setting min capacity to 5 and max capacity to 20"
    assert limits["StatusMessage"] == "Successfully set min capacity to 5 and max capacity to 20"


def test_a_lower_maximum_scales_in_at_once(world):
    world.controller.scale(world.service, 8)
    world.schedule("night", "at(2026-03-04T11:00:00)", MaxCapacity=3)

    world.follow(lambda: Timetable(world.book, world.fulfilment).round(AT.replace(hour=11)))

    assert world.service.desired == 3
    assert world.activities()[0]["Cause"] == "maximum capacity was set to 3"


def test_runs_that_were_missed_are_made_up_for_once(world):
    action = world.schedule("often", "rate(5 minutes)", MinCapacity=3)
    timetable = Timetable(world.book, world.fulfilment)

    world.follow(lambda: [timetable.round(AT.replace(hour=12)) for _ in range(3)])

    assert len(world.activities()) == 2
    assert timetable.next_run(action) == AT.replace(hour=12, minute=5)


def test_limits_that_exclude_each_other_fail_and_say_so(world):
    world.schedule("wrong", "at(2026-03-04T11:00:00)", MinCapacity=12)

    world.follow(lambda: Timetable(world.book, world.fulfilment).round(AT.replace(hour=11)))

    (activity,) = world.activities()
    assert activity["StatusCode"] == "Failed"
    assert "Maximum capacity cannot be less" in activity["StatusMessage"]
    assert (world.target.minimum, world.service.desired) == (2, 2)


def test_suspended_schedules_do_nothing(world):
    world.schedule("morning", "at(2026-03-04T11:00:00)", MinCapacity=5)
    world.target.suspended["ScheduledScalingSuspended"] = True

    world.follow(lambda: Timetable(world.book, world.fulfilment).round(AT.replace(hour=11)))

    assert world.activities() == []


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"StartTime": AT.replace(hour=13, minute=7)}, AT.replace(hour=13, minute=7)),
        ({"EndTime": AT.replace(minute=30)}, None),
        ({}, AT.replace(hour=11)),
    ],
)
def test_a_recurring_action_keeps_within_its_start_and_end(world, more, expected):
    action = world.schedule("hourly", "cron(0 * * * ? *)", MinCapacity=3, **more)

    assert Timetable(world.book, world.fulfilment).next_run(action) == expected


def test_old_activities_are_forgotten(world, monkeypatch):
    from sandbox.autoscaling import book

    world.track()
    monkeypatch.setattr(book, "MOST_ACTIVITIES", 1)

    world.ring("cpu-AlarmHigh-1", 100.0)
    world.ring("cpu-AlarmHigh-1", 150.0)
    world.load()

    assert [a["Description"] for a in world.activities()] == ["Setting desired count to 5."]
    assert RESOURCE in world.book.targets
