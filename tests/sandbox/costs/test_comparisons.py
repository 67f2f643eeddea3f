"""Month against month, the values of dimensions and tags, and commitments that nobody made."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sandbox.errors import AwsError
from tests.sandbox.costs.books import NOW, Books, by, dimension, total

SEPTEMBER = {"Start": "2026-09-01", "End": "2026-10-01"}
OCTOBER = {"Start": "2026-10-01", "End": "2026-11-01"}
MAY = {"Start": "2026-05-01", "End": "2026-06-01"}
JUNE = {"Start": "2026-06-01", "End": "2026-07-01"}
JULY = {"Start": "2026-07-01", "End": "2026-08-01"}


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    found = Books(tmp_path_factory.mktemp("comparisons"))
    yield found
    found.close()


def compare(books, operation, before, after, metric="UnblendedCost", **parameters):
    return books.call(
        operation,
        BaselineTimePeriod=before,
        ComparisonTimePeriod=after,
        MetricForComparison=metric,
        **parameters,
    )


def drivers(books, before, after, **parameters):
    """All pages of drivers."""
    found, token = [], {}
    while token is not None:
        answer = compare(books, "get_cost_comparison_drivers", before, after, **parameters, **token)
        assert len(answer["CostComparisonDrivers"]) <= 10
        found += answer["CostComparisonDrivers"]
        more = answer.get("NextPageToken")
        token = {"NextPageToken": more} if more else None
    return found


def difference(metrics, name="UnblendedCost"):
    return Decimal(metrics[name]["Difference"])


def test_comparisons_are_the_two_months_side_by_side(books):
    answer = compare(
        books,
        "get_cost_and_usage_comparisons",
        SEPTEMBER,
        OCTOBER,
        GroupBy=[by("DIMENSION", "SERVICE")],
    )

    whole = answer["TotalCostAndUsage"]["UnblendedCost"]
    assert Decimal(whole["BaselineTimePeriodAmount"]) == total(
        books.pages("2026-09-01", "2026-10-01", "MONTHLY")
    )
    assert Decimal(whole["ComparisonTimePeriodAmount"]) == total(
        books.pages("2026-10-01", "2026-11-01", "MONTHLY")
    )
    rows = answer["CostAndUsageComparisons"]
    assert sum(difference(row["Metrics"]) for row in rows) == Decimal(whole["Difference"])
    sizes = [abs(difference(row["Metrics"])) for row in rows]
    assert sizes == sorted(sizes, reverse=True)
    assert rows[0]["CostAndUsageSelector"]["Dimensions"]["Values"] == ["EC2 - Other"]


def test_a_selector_selects_its_own_costs(books):
    answer = compare(
        books,
        "get_cost_and_usage_comparisons",
        SEPTEMBER,
        OCTOBER,
        GroupBy=[by("TAG", "environment"), by("DIMENSION", "SERVICE")],
    )

    for row in answer["CostAndUsageComparisons"]:
        selected = total(
            books.pages("2026-10-01", "2026-11-01", "MONTHLY", Filter=row["CostAndUsageSelector"])
        )
        amount = row["Metrics"]["UnblendedCost"]["ComparisonTimePeriodAmount"]
        assert selected == Decimal(amount)


def test_drivers_explain_the_whole_difference(books):
    found = drivers(books, SEPTEMBER, OCTOBER)

    explained = sum(
        difference(driver["Metrics"]) for each in found for driver in each["CostDrivers"]
    )
    months = [
        total(books.pages(month["Start"], month["End"], "MONTHLY"))
        for month in (SEPTEMBER, OCTOBER)
    ]
    assert explained == months[1] - months[0]


def test_the_nat_flood_is_the_first_driver_of_october(books):
    first = drivers(books, SEPTEMBER, OCTOBER)[0]

    keys = [part["Dimensions"]["Values"] for part in first["CostSelector"]["And"]]
    (driver,) = first["CostDrivers"]
    assert keys == [["EC2 - Other"], ["NatGateway-Bytes"]]
    assert driver["Type"] == "USAGE_CHANGE"
    assert difference(driver["Metrics"], "UsageQuantity") > 700


def test_tax_credits_and_the_larger_database_have_drivers_of_their_own(books):
    found = drivers(books, JUNE, JULY)

    types = {driver["Type"] for each in found for driver in each["CostDrivers"]}
    names = {driver["Name"] for each in found for driver in each["CostDrivers"]}
    assert {"TAX", "CREDIT", "USAGE_CHANGE"} <= types
    assert {"Multi-AZUsage:db.t4g.small", "Multi-AZUsage:db.t4g.medium"} <= names


@pytest.mark.parametrize(
    ("before", "after", "parameters", "code"),
    [
        (SEPTEMBER, {"Start": "2026-10-01", "End": "2026-10-31"}, {}, "ValidationException"),
        (SEPTEMBER, {"Start": "2026-10-02", "End": "2026-11-02"}, {}, "ValidationException"),
        ({"Start": "2026-08-01", "End": "2026-10-01"}, OCTOBER, {}, "ValidationException"),
        ({"Start": "2025-09-01", "End": "2025-10-01"}, OCTOBER, {}, "ValidationException"),
        (SEPTEMBER, OCTOBER, {"metric": "Cost"}, "ValidationException"),
        (SEPTEMBER, OCTOBER, {"MaxResults": 11}, "ValidationException"),
        (SEPTEMBER, OCTOBER, {"NextPageToken": "x"}, "InvalidNextTokenException"),
    ],
)
def test_comparisons_that_make_no_sense_are_refused(books, before, after, parameters, code):
    with pytest.raises(AwsError) as refused:
        compare(books, "get_cost_comparison_drivers", before, after, **parameters)

    assert refused.value.code == code


# -- values ----------------------------------------------------------------------------------


def values(books, dimension_, period=OCTOBER, **parameters):
    answer = books.call(
        "get_dimension_values", TimePeriod=period, Dimension=dimension_, **parameters
    )
    assert answer["ReturnSize"] == len(answer["DimensionValues"])
    return [row["Value"] for row in answer["DimensionValues"]]


def test_dimension_values_are_those_of_the_period(books):
    assert "db.t4g.medium" in values(books, "INSTANCE_TYPE")
    assert "db.t4g.medium" not in values(books, "INSTANCE_TYPE", MAY)
    assert values(books, "DATABASE_ENGINE", Filter=dimension("SERVICE", "Amazon ElastiCache")) == [
        "NoDatabaseEngine"
    ]


def test_dimension_values_are_searched_and_sorted(books):
    by_cost = [{"Key": "UnblendedCost", "SortOrder": "DESCENDING"}]

    assert values(books, "SERVICE", SearchString="elastica") == ["Amazon ElastiCache"]
    assert values(books, "SERVICE", SortBy=by_cost)[:2] == [
        "Amazon Relational Database Service",
        "EC2 - Other",
    ]


def test_nothing_is_reserved(books):
    assert values(books, "INSTANCE_TYPE", Context="RESERVATIONS") == []


def test_tags_are_keys_or_the_values_of_one(books):
    keys = books.call("get_tags", TimePeriod=OCTOBER)
    environments = books.call("get_tags", TimePeriod=OCTOBER, TagKey="environment")

    assert keys["Tags"] == ["environment", "owner", "service"]
    assert environments["Tags"] == ["", "production", "staging"]


def test_values_that_make_no_sense_are_refused(books):
    for parameters in (
        {"Dimension": "PLANET"},
        {"Dimension": "SERVICE", "Context": "MARS"},
        {"Dimension": "SERVICE", "SortBy": [{"Key": "Weight"}]},
        {
            "Dimension": "SERVICE",
            "SearchString": "a",
            "SortBy": [{"Key": "UnblendedCost"}],
        },
    ):
        with pytest.raises(AwsError) as refused:
            books.call("get_dimension_values", TimePeriod=OCTOBER, **parameters)
        assert refused.value.code == "ValidationException"


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("STARTS_WITH", "Amazon El", 2),
        ("ENDS_WITH", "Service", 2),
        ("CONTAINS", "Elastic ", 2),
        ("EQUALS", "Amazon ElastiCache", 1),
    ],
)
def test_listing_operations_take_all_match_options(books, option, value, expected):
    wanted = {"Dimensions": {"Key": "SERVICE", "Values": [value], "MatchOptions": [option]}}

    assert len(values(books, "SERVICE", Filter=wanted)) == expected


def test_case_can_be_ignored(books):
    leaf = {"Key": "SERVICE", "Values": ["AMAZON ELASTICACHE"]}
    options = [["EQUALS", "CASE_INSENSITIVE"], ["EQUALS", "CASE_SENSITIVE"]]

    found = [
        values(books, "SERVICE", Filter={"Dimensions": leaf | {"MatchOptions": each}})
        for each in options
    ]

    assert found == [["Amazon ElastiCache"], []]


def test_costs_have_no_categories(books):
    categories = books.call("get_cost_categories", TimePeriod=OCTOBER)
    team = {"CostCategories": {"Key": "Team", "Values": ["a"]}}
    grouped = books.pages(
        "2026-10-01", "2026-11-01", "MONTHLY", GroupBy=[by("COST_CATEGORY", "Team")]
    )

    assert categories["CostCategoryNames"] == []
    assert total(books.pages("2026-10-01", "2026-11-01", "MONTHLY", Filter=team)) == 0
    assert [g["Keys"] for g in grouped[0]["ResultsByTime"][0]["Groups"]] == [["Team$"]]


def test_product_attributes_belong_to_services_that_are_not_used(books):
    (page,) = books.pages(
        "2026-10-01", "2026-11-01", "MONTHLY", GroupBy=[by("PRODUCT_ATTRIBUTE", "model")]
    )

    assert page["ResultsByTime"][0]["Groups"] == []


# -- commitments -----------------------------------------------------------------------------


def test_databases_and_cache_nodes_ran_on_demand_all_the_time(books):
    answer = books.call("get_reservation_coverage", TimePeriod=OCTOBER)

    hours = answer["Total"]["CoverageHours"]
    assert hours["OnDemandHours"] == hours["TotalRunningHours"] == str(31 * 24 * 3)
    assert hours["CoverageHoursPercentage"] == "0"


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        ("get_savings_plans_coverage", {"TimePeriod": OCTOBER}, "DataUnavailableException"),
        ("get_savings_plans_utilization", {"TimePeriod": OCTOBER}, "DataUnavailableException"),
        (
            "get_savings_plans_utilization_details",
            {"TimePeriod": OCTOBER},
            "DataUnavailableException",
        ),
        (
            "get_reservation_coverage",
            {"TimePeriod": OCTOBER, "GroupBy": [by("DIMENSION", "REGION")]},
            "ValidationException",
        ),
        ("get_rightsizing_recommendation", {"Service": "AmazonRDS"}, "ValidationException"),
        ("create_cost_category_definition", {"Name": "Team"}, "AccessDeniedException"),
        (
            "get_cost_and_usage_with_resources",
            {"TimePeriod": {"Start": str(NOW.date()), "End": "2026-11-23"}},
            "DataUnavailableException",
        ),
        ("get_cost_and_usage_with_resources", {"TimePeriod": OCTOBER}, "ValidationException"),
    ],
)
def test_what_the_account_does_not_have_is_said_by_name(books, operation, parameters, code):
    with pytest.raises(AwsError) as refused:
        books.call(operation, **parameters)

    assert refused.value.code == code
