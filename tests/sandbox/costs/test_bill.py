"""The bill: exact sums whatever the grouping, pages, validation, and what is known by when."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.charges import METRICS_REQUESTED
from sandbox.costexplorer.bill import known_until
from sandbox.errors import AwsError
from tests.sandbox.costs.books import NOW, Books, by, dimension, results, total

DIMENSIONS = [
    "SERVICE", "USAGE_TYPE", "OPERATION", "RECORD_TYPE", "REGION", "LINKED_ACCOUNT", "AZ",
    "INSTANCE_TYPE", "PURCHASE_TYPE", "DATABASE_ENGINE", "DEPLOYMENT_OPTION", "CACHE_ENGINE",
]  # fmt: skip
TAGS = ["environment", "service", "owner", "unheard-of"]
groupings = st.lists(
    st.one_of(
        st.sampled_from(DIMENSIONS).map(lambda key: {"Type": "DIMENSION", "Key": key}),
        st.sampled_from(TAGS).map(lambda key: {"Type": "TAG", "Key": key}),
        st.just({"Type": "COST_CATEGORY", "Key": "Team"}),
    ),
    max_size=2,
)
days = st.dates(date(2025, 9, 1), date(2026, 11, 29))
COSTS = ["UnblendedCost", "AmortizedCost", "NetAmortizedCost", "NetUnblendedCost", "BlendedCost"]


@pytest.fixture(scope="module")
def explorer(tmp_path_factory):
    books = Books(tmp_path_factory.mktemp("bill"))
    yield books
    books.close()


def ask(explorer, *arguments, **parameters):
    return explorer.pages(*arguments, **parameters)


def by_service(explorer, start, end, granularity="MONTHLY", **parameters):
    """Costs of a single period by service."""
    pages = ask(
        explorer, start, end, granularity, GroupBy=[by("DIMENSION", "SERVICE")], **parameters
    )
    (result,) = results(pages)
    return {
        group["Keys"][0]: Decimal(group["Metrics"]["UnblendedCost"]["Amount"])
        for group in result["Groups"]
    }


def refusal(explorer, *arguments, **parameters):
    with pytest.raises(AwsError) as refused:
        ask(explorer, *arguments, **parameters)
    return refused.value.code


@settings(max_examples=8, deadline=None)
@given(start=days, length=st.integers(1, 40), grouping=groupings)
def test_groups_add_up_to_the_ungrouped_total_exactly(explorer, start, length, grouping):
    end = min(start + timedelta(days=length), date(2026, 12, 1))

    plain = ask(explorer, start, end, metrics=["UnblendedCost", "UsageQuantity"])
    grouped = ask(
        explorer, start, end, metrics=["UnblendedCost", "UsageQuantity"], GroupBy=grouping
    )

    assert total(grouped) == total(plain)
    assert total(grouped, "UsageQuantity") == total(plain, "UsageQuantity")


@settings(max_examples=8, deadline=None)
@given(start=days, length=st.integers(1, 120), grouping=groupings)
def test_months_are_the_sum_of_their_days_exactly(explorer, start, length, grouping):
    end = min(start + timedelta(days=length), date(2026, 12, 1))

    monthly = ask(explorer, start, end, "MONTHLY", GroupBy=grouping)
    daily = ask(explorer, start, end, "DAILY", GroupBy=grouping)

    assert total(monthly) == total(daily)


@settings(max_examples=8, deadline=None)
@given(start=days, key=st.sampled_from(["SERVICE", "RECORD_TYPE"]), data=st.data())
def test_a_filter_and_its_opposite_make_the_whole(explorer, start, key, data):
    end = start + timedelta(days=1)
    names = sorted(by_service(explorer, start, end)) or ["Tax"]
    wanted = dimension(key, *data.draw(st.lists(st.sampled_from([*names, "Usage"]), min_size=1)))

    inside = ask(explorer, start, end, Filter=wanted)
    outside = ask(explorer, start, end, Filter={"Not": wanted})

    assert total(inside) + total(outside) == total(ask(explorer, start, end))


def test_the_full_stack_costs_about_457_dollars_a_month(explorer):
    usage = dimension("RECORD_TYPE", "Usage")

    september = total(ask(explorer, "2026-09-01", "2026-10-01", "MONTHLY", Filter=usage))

    assert Decimal(435) < september < Decimal(480)


def test_costs_are_hours_times_prices(explorer):
    september = by_service(explorer, "2026-09-01", "2026-10-01")

    hours = 30 * 24
    assert september["Amazon ElastiCache"] == 2 * hours * Decimal("0.068")
    assert september["Amazon Virtual Private Cloud"] == 4 * hours * Decimal("0.005")
    fargate = Decimal("1.75") * Decimal("0.04048") + Decimal("3.5") * Decimal("0.004445")
    assert september["Amazon Elastic Container Service"] == hours * fargate


def test_the_bill_grew_in_steps(explorer):
    def month(start, end):
        return by_service(explorer, start, end)

    early = month("2025-10-01", "2025-11-01")
    late = month("2026-10-01", "2026-11-01")

    assert late["Amazon ElastiCache"] == 2 * early["Amazon ElastiCache"]
    assert late["EC2 - Other"] > Decimal("1.8") * early["EC2 - Other"]
    rds = "Amazon Relational Database Service"
    assert late[rds] > Decimal("1.5") * early[rds]


def test_four_days_of_nat_traffic_stand_out(explorer):
    nat = dimension("USAGE_TYPE", "NatGateway-Bytes")
    pages = ask(explorer, "2026-10-01", "2026-11-01", Filter=nat)

    costs = [Decimal(result["Total"]["UnblendedCost"]["Amount"]) for result in results(pages)]

    high = [number for number, cost in enumerate(costs, start=1) if cost > 5]
    assert high == [13, 14, 15, 16]


def test_tax_support_and_a_credit_land_on_the_first(explorer):
    records = [by("DIMENSION", "RECORD_TYPE")]

    first, second = results(ask(explorer, "2026-07-01", "2026-07-03", GroupBy=records))

    found = {group["Keys"][0]: group["Metrics"]["UnblendedCost"] for group in first["Groups"]}
    assert set(found) == {"Usage", "Support", "Tax", "Credit"}
    assert found["Support"]["Amount"] == "29"
    assert found["Credit"]["Amount"] == "-25"
    assert [group["Keys"] for group in second["Groups"]] == [["Usage"]]


def test_tax_is_seven_per_cent_of_usage_and_fees(explorer):
    records = [by("DIMENSION", "RECORD_TYPE")]
    (month,) = results(ask(explorer, "2026-09-01", "2026-10-01", "MONTHLY", GroupBy=records))
    amounts = {
        group["Keys"][0]: Decimal(group["Metrics"]["UnblendedCost"]["Amount"])
        for group in month["Groups"]
    }

    expected = (amounts["Usage"] + amounts["Support"]) * Decimal("0.07")

    assert amounts["Tax"] == pytest.approx(expected, abs=Decimal("1e-9"))


def test_tags_come_back_with_their_key_and_untagged_costs_without_value(explorer):
    (month,) = results(
        ask(explorer, "2026-09-01", "2026-10-01", "MONTHLY", GroupBy=[by("TAG", "environment")])
    )

    keys = [group["Keys"] for group in month["Groups"]]
    assert keys == [["environment$"], ["environment$production"], ["environment$staging"]]


def test_tag_filters_match_values_and_absence(explorer):
    start, end = "2026-09-10", "2026-09-11"
    tagged = {"Tags": {"Key": "environment", "Values": ["production", "staging"]}}
    untagged = {"Tags": {"Key": "environment", "MatchOptions": ["ABSENT"]}}

    split = total(ask(explorer, start, end, Filter=tagged)) + total(
        ask(explorer, start, end, Filter=untagged)
    )

    assert split == total(ask(explorer, start, end))


def test_and_or_combine_filters(explorer):
    start, end = "2026-09-10", "2026-09-11"
    staging = {"Tags": {"Key": "environment", "Values": ["staging"]}}
    fargate = dimension("SERVICE", "Amazon Elastic Container Service")

    both = total(ask(explorer, start, end, Filter={"And": [staging, fargate]}))
    either = total(ask(explorer, start, end, Filter={"Or": [staging, fargate]}))

    one, other = (total(ask(explorer, start, end, Filter=each)) for each in (staging, fargate))
    assert both > 0
    assert either == one + other - both


def test_quantities_of_mixed_units_have_no_unit(explorer):
    usage_types = [by("DIMENSION", "USAGE_TYPE")]
    pages = ask(
        explorer, "2026-09-10", "2026-09-11", metrics=["UsageQuantity"], GroupBy=usage_types
    )
    (mixed,) = results(ask(explorer, "2026-09-10", "2026-09-11", metrics=["UsageQuantity"]))

    units = {
        group["Keys"][0]: group["Metrics"]["UsageQuantity"]["Unit"]
        for group in results(pages)[0]["Groups"]
    }

    assert units["NatGateway-Hours"] == "Hrs"
    assert units["NatGateway-Bytes"] == "GB"
    assert mixed["Total"]["UsageQuantity"]["Unit"] == "N/A"


def test_all_five_costs_are_answered(explorer):
    (day,) = results(ask(explorer, "2026-09-10", "2026-09-11", metrics=COSTS))

    assert set(day["Total"]) == set(COSTS)
    assert len({amount["Amount"] for amount in day["Total"].values()}) == 1


def test_grouped_results_have_an_empty_total(explorer):
    (day,) = results(
        ask(explorer, "2026-09-10", "2026-09-11", GroupBy=[by("DIMENSION", "SERVICE")])
    )

    assert day["Total"] == {}


def test_days_without_costs_are_zero(explorer):
    future = ask(explorer, "2026-11-29", "2026-11-30", metrics=["UnblendedCost", "UsageQuantity"])

    assert results(future)[0]["Total"] == {
        "UnblendedCost": {"Amount": "0", "Unit": "USD"},
        "UsageQuantity": {"Amount": "0", "Unit": "N/A"},
    }


def test_only_the_open_month_is_an_estimate(explorer):
    october, november = results(ask(explorer, "2026-10-01", "2026-12-01", "MONTHLY"))

    assert (october["Estimated"], november["Estimated"]) == (False, True)


def estimates(books, at):
    books.now = at
    return [
        each["Estimated"] for each in results(ask(books, "2026-10-01", "2027-01-01", "MONTHLY"))
    ]


def test_a_month_is_an_estimate_until_its_bill_is_closed(tmp_path):
    books = Books(tmp_path)

    open_still = estimates(books, datetime(2026, 12, 5, 23, 59, tzinfo=UTC))
    closed = estimates(books, datetime(2026, 12, 6, tzinfo=UTC))

    books.close()
    assert (open_still, closed) == ([False, True, True], [False, False, True])


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-22T11:59", "2026-11-22T00:00"),
        ("2026-11-22T12:00", "2026-11-22T08:00"),
        ("2026-11-22T03:59", "2026-11-21T16:00"),
        ("2026-11-22T04:00", "2026-11-22T00:00"),
    ],
)
def test_usage_arrives_late_and_three_times_a_day(now, until):
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)

    assert known_until(moment) == datetime.fromisoformat(until).replace(tzinfo=UTC)


def test_today_is_empty_in_the_morning_and_yesterday_still_partial(tmp_path):
    early = Books(tmp_path, datetime(2026, 11, 22, 3, 0, tzinfo=UTC))
    window = ("2026-11-21", "2026-11-23")

    before = [Decimal(r["Total"]["UnblendedCost"]["Amount"]) for r in results(ask(early, *window))]
    early.now = NOW + timedelta(days=3)
    after = [Decimal(r["Total"]["UnblendedCost"]["Amount"]) for r in results(ask(early, *window))]

    assert before[1] == 0
    assert Decimal("0.5") < before[0] / after[0] < Decimal("0.67")
    assert after[1] > 10
    early.close()


def test_data_transfer_arrives_later_than_hours(tmp_path):
    books = Books(tmp_path, datetime(2026, 11, 22, 5, 0, tzinfo=UTC))
    services = ("Amazon ElastiCache", "EC2 - Other")

    def costs():
        return [books.cost(date(2026, 11, 21), Filter=dimension("SERVICE", s)) for s in services]

    early = costs()
    books.now = NOW + timedelta(days=3)
    late = costs()

    assert early[0] == late[0]
    assert early[1] == pytest.approx(late[1] / 3, rel=Decimal("0.001"))
    books.close()


def test_every_answered_page_is_charged_and_no_refused_request(tmp_path):
    books = Books(tmp_path)
    for _ in range(3):
        ask(books, "2026-09-10", "2026-09-11")
    refusal(books, "2026-09-11", "2026-09-10")
    books.close()
    again = Books(tmp_path, NOW + timedelta(days=2))

    requests = dimension("SERVICE", "AWS Cost Explorer")
    pages = ask(
        again, NOW.date(), NOW.date() + timedelta(days=1),
        metrics=["UnblendedCost", "UsageQuantity"], Filter=requests,
    )  # fmt: skip

    assert results(pages)[0]["Total"] == {
        "UnblendedCost": {"Amount": "0.03", "Unit": "USD"},
        "UsageQuantity": {"Amount": "3", "Unit": "Requests"},
    }
    again.close()


def test_metrics_asked_for_are_billed_with_cloudwatch(tmp_path):
    books = Books(tmp_path)
    books.charges.add(METRICS_REQUESTED, 3, NOW)
    books.now = NOW + timedelta(days=2)

    asked = dimension("USAGE_TYPE", "CW:GMD-Metrics")
    day, following = NOW.date(), NOW.date() + timedelta(days=1)
    pages = ask(books, day, following, metrics=["UnblendedCost", "UsageQuantity"], Filter=asked)

    assert results(pages)[0]["Total"] == {
        "UnblendedCost": {"Amount": "0.00003", "Unit": "USD"},
        "UsageQuantity": {"Amount": "3", "Unit": "Metrics"},
    }
    books.close()
