"""Dashboards: what is kept, what is refused and in which words."""

from __future__ import annotations

import json

import pytest

from sandbox.cloudwatch import dashboards as dashboards_module
from sandbox.cloudwatch.dashboards import Dashboards
from sandbox.cloudwatch.world import golden_signals
from sandbox.errors import AwsError
from sandbox.state import State

TEXT = {"type": "text", "x": 0, "y": 0, "width": 3, "height": 3, "properties": {"markdown": "Hi"}}
EMPTY = json.dumps({"widgets": []})


@pytest.fixture
def state(tmp_path):
    state = State(tmp_path / "state.sqlite")
    yield state
    state.close()


@pytest.fixture
def dashboards(state):
    return Dashboards(state)


def put(dashboards, body, name="news"):
    text = body if isinstance(body, str) else json.dumps(body)
    return dashboards.put_dashboard(DashboardName=name, DashboardBody=text)


def refusal(dashboards, body):
    with pytest.raises(AwsError) as refused:
        put(dashboards, body)
    assert refused.value.code == "InvalidParameterInput"
    return refused.value.message


def metric(**properties):
    return {"widgets": [{"type": "metric", "properties": properties}]}


def test_a_dashboard_is_kept_as_it_came(dashboards, state):
    body = json.dumps({"widgets": [TEXT]}, indent=3)

    answer = put(dashboards, body)

    kept = Dashboards(state).get_dashboard(DashboardName="news")
    assert answer == {"DashboardValidationMessages": []}
    assert kept["DashboardBody"] == body
    assert kept["DashboardArn"] == "arn:aws:cloudwatch::123456789012:dashboard/news"


def test_a_dashboard_put_again_replaces_the_first(dashboards):
    put(dashboards, {"widgets": [TEXT]})
    put(dashboards, EMPTY)

    (entry,) = dashboards.list_dashboards()["DashboardEntries"]

    assert (entry["DashboardName"], entry["Size"]) == ("news", len(EMPTY))


def test_dashboards_are_listed_by_prefix_and_page(dashboards, monkeypatch):
    monkeypatch.setattr(dashboards_module, "PER_PAGE", 2)
    for name in ("news-c", "news-a", "other", "news-b"):
        put(dashboards, EMPTY, name)

    first = dashboards.list_dashboards(DashboardNamePrefix="news-")
    rest = dashboards.list_dashboards(DashboardNamePrefix="news-", NextToken=first["NextToken"])

    names = [entry["DashboardName"] for entry in first["DashboardEntries"]]
    assert names == ["news-a", "news-b"]
    assert [entry["DashboardName"] for entry in rest["DashboardEntries"]] == ["news-c"]
    assert "NextToken" not in rest
    with pytest.raises(AwsError, match="token"):
        dashboards.list_dashboards(NextToken=first["NextToken"])


def test_deleting_tells_of_the_missing_and_deletes_the_others(dashboards):
    put(dashboards, EMPTY)

    with pytest.raises(AwsError) as refused:
        dashboards.delete_dashboards(DashboardNames=["news", "never"])

    assert (refused.value.code, refused.value.status) == ("ResourceNotFound", 404)
    assert "never" in refused.value.message
    assert dashboards.list_dashboards() == {"DashboardEntries": []}


@pytest.mark.parametrize("names", [[], ["x"] * 101])
def test_deleting_takes_one_to_a_hundred_names(dashboards, names):
    with pytest.raises(AwsError) as refused:
        dashboards.delete_dashboards(DashboardNames=names)

    assert refused.value.code == "InvalidParameterValue"


def test_a_dashboard_that_is_not_there_is_not_found(dashboards):
    with pytest.raises(AwsError) as refused:
        dashboards.get_dashboard(DashboardName="never")

    assert refused.value.message == "Dashboard never does not exist"


@pytest.mark.parametrize("name", ["", "two words", "ü", "x" * 256])
def test_other_names_are_refused(dashboards, name):
    with pytest.raises(AwsError) as refused:
        put(dashboards, EMPTY, name)

    assert refused.value.code == "InvalidParameterInput"


def test_what_is_no_json_is_refused(dashboards):
    assert refusal(dashboards, "{") == "The field DashboardBody must be a valid JSON object"


def test_all_faults_of_a_body_are_told_at_once(dashboards):
    message = refusal(dashboards, metric(metrics=["AWS/ECS"]))

    first, _, listed = message.partition("\n")
    assert first == "The dashboard body is invalid, there are 3 validation errors:"
    assert [fault["dataPath"] for fault in json.loads(listed)] == [
        "/widgets/0/properties",
        "/widgets/0/properties/metrics/0",
        "/widgets/0/properties/metrics/0",
    ]


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ([], "Should be object"),
        ({}, "Should have required property 'widgets'"),
        ({"widgets": {}}, "Should be array"),
        ({"widgets": [TEXT] * 501}, "Should NOT have more than 500 items"),
        ({"widgets": [], "end": "P0D"}, "start when property end"),
        ({"widgets": [], "periodOverride": "never"}, "one of the allowed values"),
        ({"widgets": [1]}, "Should be object"),
        ({"widgets": [{"type": "clock", "properties": {}}]}, "one of the allowed values"),
        ({"widgets": [{"type": "text"}]}, "Should have required property 'properties'"),
        ({"widgets": [TEXT | {"width": 25}]}, "Should be <= 24"),
        ({"widgets": [TEXT | {"height": 0}]}, "Should be >= 1"),
        ({"widgets": [TEXT | {"x": "0"}]}, "Should be integer"),
        ({"widgets": [{"type": "text", "properties": {}}]}, "required property 'markdown'"),
        (
            {"widgets": [{"type": "alarm", "properties": {"alarms": []}}]},
            "Should NOT have less than 1 items",
        ),
        (metric(region="us-east-1"), "Should have required property 'metrics'"),
        (metric(metrics=[["AWS/ECS", "X"]]), "should have specified a region"),
        (metric(region="us-east-1", metrics={}), "Should be array"),
        (metric(region="us-east-1", metrics=[["AWS/ECS", 1]]), "array of array of strings"),
        (metric(region="us-east-1", metrics=[[{"id": "x"}]]), "array of array of strings"),
    ],
)
def test_a_fault_is_told_in_cloudwatchs_words(dashboards, body, fault):
    assert fault in refusal(dashboards, body)


def test_what_is_not_known_is_stored_with_a_remark(dashboards):
    answer = put(dashboards, {"widgets": [], "colour": "blue"})

    assert answer["DashboardValidationMessages"] == [
        {"DataPath": "/colour", "Message": "Should NOT have additional properties"}
    ]
    assert dashboards.get_dashboard(DashboardName="news")


def test_the_worlds_own_dashboard_has_no_fault(dashboards):
    assert put(dashboards, golden_signals()) == {"DashboardValidationMessages": []}


def test_alarm_annotations_are_a_source_of_their_own(dashboards):
    body = metric(annotations={"alarms": ["arn:aws:cloudwatch:us-east-1:123456789012:alarm:a"]})

    assert put(dashboards, body) == {"DashboardValidationMessages": []}
