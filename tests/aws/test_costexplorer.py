from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from aws import clients, costexplorer
from aws.costexplorer import Amount, Group, Question, TooManyPages
from aws.errors import Denied, Refused, Throttled, Unreachable
from tests.aws.stubs import stubbed

QUESTION = Question(
    start=date(2026, 11, 1),
    end=date(2026, 11, 3),
    granularity="DAILY",
    dimensions=("SERVICE", "USAGE_TYPE"),
    metrics=("UnblendedCost", "UsageQuantity"),
    without_record_types=("Credit", "Refund"),
)
ASKED = {
    "TimePeriod": {"Start": "2026-11-01", "End": "2026-11-03"},
    "Granularity": "DAILY",
    "Metrics": ["UnblendedCost", "UsageQuantity"],
    "GroupBy": [
        {"Type": "DIMENSION", "Key": "SERVICE"},
        {"Type": "DIMENSION", "Key": "USAGE_TYPE"},
    ],
    "Filter": {"Not": {"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Credit", "Refund"]}}},
}


def group(usage_type, cost="1.5", quantity="3", unit="Hrs"):
    return {
        "Keys": ["EC2 - Other", usage_type],
        "Metrics": {
            "UnblendedCost": {"Amount": cost, "Unit": "USD"},
            "UsageQuantity": {"Amount": quantity, "Unit": unit},
        },
    }


def page(day, *groups, token=None):
    period = {"Start": f"2026-11-{day:02}", "End": f"2026-11-{day + 1:02}"}
    result = {"TimePeriod": period, "Total": {}, "Groups": list(groups), "Estimated": True}
    return {"ResultsByTime": [result]} | ({"NextPageToken": token} if token else {})


@pytest.fixture
def ce(monkeypatch):
    with stubbed(monkeypatch, costexplorer, "ce") as stubber:
        yield stubber


@pytest.fixture
def meter():
    """Counts charged requests."""
    return []


def ask(meter, question=QUESTION, most_pages=9):
    return costexplorer.get_cost_and_usage(
        question, most_pages=most_pages, charged=lambda: meter.append("one")
    )


def test_amounts_arrive_exactly_as_they_were_sent(ce, meter):
    ce.add_response("get_cost_and_usage", page(1, group("NatGateway-Hours", "0.0450000001")), ASKED)

    (found,) = ask(meter)

    assert found == Group(
        start=date(2026, 11, 1),
        end=date(2026, 11, 2),
        keys=("EC2 - Other", "NatGateway-Hours"),
        amounts={
            "UnblendedCost": Amount(Decimal("0.0450000001"), "USD"),
            "UsageQuantity": Amount(Decimal(3), "Hrs"),
        },
        estimated=True,
    )


def test_pages_are_asked_with_the_same_parameters_and_each_is_charged(ce, meter):
    ce.add_response("get_cost_and_usage", page(1, group("a"), token="next"), ASKED)
    ce.add_response("get_cost_and_usage", page(1, group("b")), ASKED | {"NextPageToken": "next"})

    found = ask(meter)

    assert [one.keys[1] for one in found] == ["a", "b"]
    assert len(meter) == 2


def test_without_record_types_to_leave_out_there_is_no_filter(ce, meter):
    bare = {name: value for name, value in ASKED.items() if name != "Filter"}
    question = Question(
        QUESTION.start, QUESTION.end, "DAILY", QUESTION.dimensions, QUESTION.metrics
    )
    ce.add_response("get_cost_and_usage", page(1), bare)

    assert ask(meter, question) == []


def test_no_more_pages_are_bought_than_allowed(ce, meter):
    ce.add_response("get_cost_and_usage", page(1, group("a"), token="next"), ASKED)

    with pytest.raises(TooManyPages, match="more than 1 pages"):
        ask(meter, most_pages=1)

    assert len(meter) == 1


def test_nothing_is_asked_without_an_allowance(ce, meter):
    with pytest.raises(TooManyPages):
        ask(meter, most_pages=0)

    assert meter == []


def test_a_group_that_comes_twice_is_never_added_up(ce, meter):
    ce.add_response("get_cost_and_usage", page(1, group("a"), token="next"), ASKED)
    ce.add_response("get_cost_and_usage", page(1, group("a")), ASKED | {"NextPageToken": "next"})

    with pytest.raises(Unreachable, match="answered twice"):
        ask(meter)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("LimitExceededException", Throttled),
        ("ThrottlingException", Throttled),
        ("AccessDeniedException", Denied),
        ("DataUnavailableException", Refused),
        ("RequestChangedException", Refused),
    ],
)
def test_errors_have_names_and_cost_nothing(ce, meter, code, expected):
    ce.add_client_error("get_cost_and_usage", code, "no")

    with pytest.raises(expected):
        ask(meter)

    assert meter == []


def test_a_missing_permission_is_named(ce, meter):
    ce.add_client_error("get_cost_and_usage", "AccessDeniedException", "no")

    with pytest.raises(Denied) as refused:
        ask(meter)

    assert refused.value.action == "ce:GetCostAndUsage"


def test_an_answer_cut_short_is_no_empty_bill(ce, meter):
    ce.add_response("get_cost_and_usage", {}, ASKED)

    with pytest.raises(Unreachable, match="cut short"):
        ask(meter)


def test_the_endpoint_is_in_us_east_1_wherever_the_services_are(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    clients._session.cache_clear()

    client = costexplorer.client.__wrapped__()

    clients._session.cache_clear()
    assert client.meta.endpoint_url == "https://ce.us-east-1.amazonaws.com"
