"""CloudWatch over the wire: boto3 against a real sandbox, answers in botocore's shapes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from sandbox.cloudwatch.refused import OPERATIONS
from sandbox.measurements import load_balancer_dimension
from tests.sandbox.contract import MODELS, checked

# Other tests make services and load balancers of their own, whose metrics stay.
OF_NEWS = "CPU (ServiceName=news-api OR ServiceName=news-ingest)"
PRODUCTION = {"Name": "LoadBalancer", "Value": load_balancer_dimension("news-production")}


@pytest.fixture
def client(account):
    return account.client("cloudwatch")


def window(hours=3):
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    return {"StartTime": end - timedelta(hours=hours), "EndTime": end}


def refusal(call, **parameters):
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return refused.value.response["Error"]["Code"]


def test_metric_math_answers_in_its_shape(client):
    queries = [
        {
            "Id": "each",
            "Expression": f"SEARCH('{{AWS/ECS,ClusterName,ServiceName}} {OF_NEWS}', 'Average', 60)",
            "Label": "${PROP('Dim.ServiceName')} [max ${MAX}]",
        },
        {"Id": "sum", "Expression": "SUM(each) / METRIC_COUNT(each)", "Label": "Mean"},
    ]

    answer = checked(client, "GetMetricData", MetricDataQueries=queries, **window())

    labels = sorted(result["Label"].split(" [max")[0] for result in answer["MetricDataResults"])
    assert labels == ["Mean", "news-api", "news-api", "news-ingest"]
    assert all(len(result["Values"]) >= 170 for result in answer["MetricDataResults"])


def test_statistics_answer_in_their_shape(client):
    listed = client.list_metrics(MetricName="TargetResponseTime", Dimensions=[PRODUCTION])
    metric = listed["Metrics"][0]
    asked = {**metric, **window(), "Period": 300}
    names = ["p99", "TM(5%:95%)", "WM(:0.5)"]

    plain = checked(client, "GetMetricStatistics", **asked, Statistics=["SampleCount", "Average"])
    extended = checked(client, "GetMetricStatistics", **asked, ExtendedStatistics=names)

    assert len(plain["Datapoints"]) == len(extended["Datapoints"]) >= 35
    assert plain["Datapoints"][0]["SampleCount"] > 0
    assert set(extended["Datapoints"][0]["ExtendedStatistics"]) == set(names)


def test_what_is_put_is_listed_and_read(client):
    dimensions = [{"Name": "Queue", "Value": "wire"}]
    datum = {"MetricName": "Jobs", "Dimensions": dimensions, "Values": [1.0, 2.0], "Unit": "Count"}
    checked(client, "PutMetricData", Namespace="Wire", MetricData=[datum])

    listed = checked(client, "ListMetrics", Namespace="Wire", RecentlyActive="PT3H")

    metric = {"Namespace": "Wire", "MetricName": "Jobs", "Dimensions": dimensions}
    assert listed["Metrics"] == [metric]
    stat = {"Metric": metric, "Period": 300, "Stat": "p50", "Unit": "Count"}
    until = {"StartTime": window(1)["StartTime"], "EndTime": datetime.now(UTC)}
    answer = checked(
        client, "GetMetricData", MetricDataQueries=[{"Id": "q", "MetricStat": stat}], **until
    )
    assert answer["MetricDataResults"][0]["Values"] == [pytest.approx(1.0, rel=0.02)]


def test_seconds_of_high_resolution_are_read_as_they_were_put(client):
    at = datetime.now(UTC).replace(second=20, microsecond=0) - timedelta(minutes=2)
    metric = {"Namespace": "Seconds", "MetricName": "Fine"}
    data = [
        {"MetricName": "Fine", "Timestamp": at + timedelta(seconds=after), "Value": value}
        | {"StorageResolution": 1}
        for after, value in ((0, 1.0), (3, 2.0), (15, 4.0))
    ]
    checked(client, "PutMetricData", Namespace="Seconds", MetricData=data)

    stat = {"Metric": metric, "Period": 10, "Stat": "Sum"}
    answer = checked(
        client,
        "GetMetricData",
        MetricDataQueries=[{"Id": "q", "MetricStat": stat}],
        StartTime=at - timedelta(seconds=20),
        EndTime=at + timedelta(seconds=20),
        ScanBy="TimestampAscending",
    )

    result = answer["MetricDataResults"][0]
    assert result["Values"] == [3.0, 4.0]
    assert result["Timestamps"] == [at, at + timedelta(seconds=10)]


def test_dashboards_come_and_go(client):
    body = json.dumps({"widgets": [], "colour": "blue"})

    put = checked(client, "PutDashboard", DashboardName="wire", DashboardBody=body)
    listed = checked(client, "ListDashboards", DashboardNamePrefix="wire")
    got = checked(client, "GetDashboard", DashboardName="wire")
    checked(client, "DeleteDashboards", DashboardNames=["wire"])

    assert put["DashboardValidationMessages"][0]["DataPath"] == "/colour"
    assert [entry["Size"] for entry in listed["DashboardEntries"]] == [len(body)]
    assert got["DashboardBody"] == body
    assert refusal(client.get_dashboard, DashboardName="wire") == "ResourceNotFound"


def test_a_fresh_account_has_the_golden_signals(client):
    body = checked(client, "GetDashboard", DashboardName="news-api-golden-signals")["DashboardBody"]

    named = {
        (metric[0], metric[1])
        for widget in json.loads(body)["widgets"]
        for metric in widget["properties"]["metrics"]
        if isinstance(metric[0], str)
    }
    for namespace, name in named:
        assert client.list_metrics(Namespace=namespace, MetricName=name)["Metrics"]


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        (
            "get_metric_data",
            {"MetricDataQueries": [{"Id": "e", "Expression": "1 +"}], **window()},
            "ValidationError",
        ),
        (
            "get_metric_data",
            {
                "MetricDataQueries": [{"Id": "e", "Expression": "TIME_SERIES(1)"}],
                "NextToken": "x",
                **window(),
            },
            "InvalidNextToken",
        ),
        (
            "get_metric_statistics",
            {
                "Namespace": "Wire",
                "MetricName": "x",
                "Period": 60,
                "Statistics": ["Sum"],
                "StartTime": window()["EndTime"],
                "EndTime": window()["StartTime"],
            },
            "InvalidParameterValue",
        ),
        ("put_metric_data", {"Namespace": "Wire", "MetricData": []}, "MissingParameter"),
        (
            "put_metric_data",
            {"Namespace": "Wire", "MetricData": [{"MetricName": "x", "Value": 1e200}]},
            "InvalidParameterValue",
        ),
        (
            "put_dashboard",
            {"DashboardName": "wire", "DashboardBody": "[]"},
            "InvalidParameterInput",
        ),
        ("delete_dashboards", {"DashboardNames": ["never"]}, "ResourceNotFound"),
        ("list_dashboards", {"NextToken": "x"}, "InvalidParameterValue"),
        ("list_metrics", {"OwningAccount": "999999999999"}, "InvalidParameterValue"),
        ("get_metric_widget_image", {"MetricWidget": "{}"}, "InvalidAction"),
        ("describe_anomaly_detectors", {}, "InvalidAction"),
        ("list_metric_streams", {}, "InvalidAction"),
        ("describe_insight_rules", {}, "InvalidAction"),
    ],
)
def test_refusals_have_their_names(client, operation, parameters, code):
    assert refusal(getattr(client, operation), **parameters) == code


def test_what_is_refused_exists():
    assert set(OPERATIONS) <= set(MODELS.get_service_model("cloudwatch").operation_names)
