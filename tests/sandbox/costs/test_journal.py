"""The journal of holdings: every day has the price of what was held on it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.charges import LOG_BYTES_SCANNED
from sandbox.costexplorer import kinds, measured, script
from sandbox.costexplorer.journal import Holding, Journal
from sandbox.costexplorer.meter import archive, grown
from sandbox.costexplorer.prices import load, price
from sandbox.measurements import load_balancer_dimension
from sandbox.state import State
from tests.sandbox.costs.books import NOW, Books, database, dimension, nat, tasks

DAY = timedelta(days=1)
NAT = dimension("USAGE_TYPE", "NatGateway-Hours")
FARGATE = dimension("SERVICE", "Amazon Elastic Container Service")
HOUR = Decimal("0.5") * Decimal("0.04048") + Decimal("0.004445")


@pytest.fixture
def books(tmp_path):
    found = Books(tmp_path, NOW + timedelta(days=30))
    yield found
    found.close()


def midnight(days):
    """The beginning of the day so many days after the epoch's."""
    return datetime(2026, 11, 22, tzinfo=UTC) + days * DAY


def test_what_is_seen_first_is_held_since_the_epoch(books):
    books.hold(nat(), at=NOW + timedelta(seconds=40))

    assert books.cost(date(2026, 11, 23), Filter=NAT) == 24 * Decimal("0.045")


def test_the_epoch_s_day_is_half_computed_and_half_measured(books):
    books.hold(nat())

    hours = Decimal("20.75") * 2 + Decimal("3.25")
    assert books.cost(date(2026, 11, 22), Filter=NAT) == hours * Decimal("0.045")


def test_a_change_costs_from_its_moment_on(books):
    books.hold(nat("one"), nat("two"))
    books.hold(nat("one"), at=midnight(3) + timedelta(hours=6))

    costs = [books.cost(midnight(day).date(), Filter=NAT) for day in (2, 3, 4)]

    assert costs == [hours * Decimal("0.045") for hours in (48, 30, 24)]


def test_scaling_from_two_to_ten_costs_more_that_day_only(books):
    books.hold(*tasks(2), source="tasks")
    books.hold(*tasks(10), at=midnight(2) + timedelta(hours=10), source="tasks")
    books.hold(*tasks(2), at=midnight(2) + timedelta(hours=13), source="tasks")

    costs = [books.cost(midnight(day).date(), Filter=FARGATE) for day in (1, 2, 3)]

    assert costs[0] == costs[2] == 48 * HOUR
    assert costs[1] == (48 + 3 * 8) * HOUR


def test_arm_tasks_cost_their_own_price(books):
    books.hold(*tasks(1, arm=True), source="tasks")

    cost = books.cost(midnight(1).date(), Filter=FARGATE)

    assert cost == 24 * (Decimal("0.5") * Decimal("0.03238") + Decimal("0.00356"))


def test_a_smaller_database_without_standby_costs_its_own_price(books):
    books.hold(database("medium"))
    books.hold(database("small", multi_az=False), at=midnight(2))

    rds = dimension("SERVICE", "Amazon Relational Database Service")
    costs = [books.cost(midnight(day).date(), Filter=rds) for day in (1, 2)]

    assert costs == [24 * Decimal("0.129"), 24 * Decimal("0.032")]


def test_things_kept_by_the_month_cost_the_same_in_long_and_short_months(books):
    books.hold(Holding(kinds.SECRETS, "secrets", Decimal(18)))
    books.now = midnight(110)

    secrets = dimension("USAGE_TYPE", "USE1-AWSSecretsManager-Secrets")
    december = books.pages("2026-12-01", "2027-01-01", "MONTHLY", Filter=secrets)
    february = books.pages("2027-02-01", "2027-03-01", "MONTHLY", Filter=secrets)

    totals = [p[0]["ResultsByTime"][0]["Total"]["UnblendedCost"] for p in (december, february)]
    assert [round(float(t["Amount"]), 6) for t in totals] == [7.2, 7.2]


def test_sources_do_not_end_what_others_hold(books):
    books.hold(nat(), source="moto")
    books.hold(*tasks(2), at=midnight(2), source="tasks")

    assert books.cost(midnight(3).date(), Filter=NAT) == 24 * Decimal("0.045")


def test_the_journal_is_durable(tmp_path):
    state = State(tmp_path / "state.sqlite")
    journal = Journal(state, NOW)
    journal.observe("moto", [nat(), database()], NOW)
    journal.observe("moto", [database()], NOW + DAY)
    state.close()

    again = Journal(State(tmp_path / "state.sqlite"), NOW)

    held = {h.kind.usage_type: hours for h, hours in again.between(NOW, lambda _: NOW + 2 * DAY)}
    assert held == {"NatGateway-Hours": 24, "Multi-AZUsage:db.t4g.medium": 48}
    assert again.now() == [database()]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3 * 86400), st.integers(0, 5)), min_size=1, max_size=12))
def test_hours_held_are_the_integral_of_what_was_seen(tmp_path_factory, steps):
    state = State(tmp_path_factory.mktemp("journal") / "state.sqlite")
    journal = Journal(state, NOW)
    at, held, expected = NOW, 1, Decimal(0)
    journal.observe("moto", [Holding(kinds.NAT_HOURS, "all", Decimal(1))], NOW)

    for seconds, count in steps:
        expected += Decimal(held * seconds) / 3600
        at, held = at + timedelta(seconds=seconds), count
        seen = [Holding(kinds.NAT_HOURS, "all", Decimal(count))] if count else []
        journal.observe("moto", seen, at)

    found = sum(h.amount * hours for h, hours in journal.between(NOW, lambda _: at))
    assert abs(found - expected) < Decimal("1e-20")
    state.close()


# -- what is counted -------------------------------------------------------------------------


def minute(requests, size):
    name = load_balancer_dimension("news-production")
    return {"load_balancer": name, "requests": requests, "bytes": size}


def test_requests_cost_capacity_units_nat_bytes_and_flow_logs(books):
    at = midnight(2) + timedelta(hours=3)
    books.charges.count(measured.balanced(minute(1_000_000, 5 * 10**9), at), through=1)

    used = {
        name: books.cost(midnight(2).date(), Filter=dimension("USAGE_TYPE", name))
        for name in ("LCUUsage", "NatGateway-Bytes", "USE1-DataProcessing-Bytes")
    }

    assert used == {
        "LCUUsage": 5 * Decimal("0.008"),
        "NatGateway-Bytes": Decimal("4.14") * Decimal("0.045"),
        "USE1-DataProcessing-Bytes": Decimal("0.96") * Decimal("0.50"),
    }


def test_log_lines_are_billed_by_the_byte(books):
    for group in ("a", "b"):
        books.charges.count(measured.logged(group, 15 * 10**8, midnight(2)), through=1)

    ingested = dimension("USAGE_TYPE", "USE1-DataProcessing-Bytes")

    assert books.cost(midnight(2).date(), Filter=ingested) == Decimal("1.5")


def test_what_queries_scan_is_billed_by_the_byte(books):
    books.charges.add(LOG_BYTES_SCANNED, 200 * 10**9, midnight(2))

    scanned = dimension("USAGE_TYPE", "USE1-DataScanned-Bytes")

    assert books.cost(midnight(2).date(), Filter=scanned) == Decimal(1)


def test_minutes_are_counted_with_their_mark_or_not_at_all(books):
    charged = [("requests", 5, NOW), ("requests", "none", None)]

    with pytest.raises(AttributeError):
        books.charges.count(charged, through=7)
    books.charges.count(charged[:1], through=8)

    assert books.charges.between("requests", NOW, NOW + timedelta(hours=1)) == 5
    assert books.charges.counted_through() == 8


@pytest.mark.parametrize(
    ("group", "retention", "stored"),
    [("noisy", None, "46"), ("noisy", 1, "23"), ("quiet", None, "0"), ("quiet", 1, "0")],
)
def test_a_log_group_stores_what_it_received_and_still_keeps(books, group, retention, stored):
    for days in (1, 5):
        at = NOW + timedelta(days=days)
        books.charges.count(measured.logged("noisy", 100 * 10**9, at), through=days)
    described = {"logGroupName": group, "creationTime": 0}
    described |= {"retentionInDays": retention} if retention else {}

    size = grown(
        books.charges, described, since=NOW, now=NOW + timedelta(days=5, hours=2), groups=2
    )

    assert size == Decimal(stored)


def test_a_log_group_made_anew_does_not_store_what_the_one_before_received(books):
    books.charges.count(measured.logged("again", 10**9, NOW), through=1)
    made = (NOW + timedelta(hours=2)).timestamp() * 1000

    size = grown(
        books.charges,
        {"logGroupName": "again", "creationTime": made},
        since=NOW,
        now=NOW + timedelta(days=1),
        groups=1,
    )

    assert size == 0


def test_a_retention_of_thirty_days_leaves_thirty_days_of_logs():
    kept = archive({"a": None, "b": None}, None)

    short = archive({"a": 30, "b": None}, kept)

    assert sum(kept.values()) == script.LOG_ARCHIVE_GB
    assert short == {"a": Decimal("5.4"), "b": Decimal(90)}


def test_deleted_logs_do_not_come_back_and_new_groups_begin_empty():
    short = archive({"a": 30, "b": None}, archive({"a": None, "b": None}, None))

    assert archive({"a": None, "b": None, "c": None}, short) == short | {"c": Decimal(0)}


# -- spikes ----------------------------------------------------------------------------------


def test_a_spike_costs_so_much_a_day_for_so_many_days(books):
    books.now = midnight(2)
    books.explorer.spike("EC2 - Other", 40.0, 3)
    books.now = midnight(10)

    nat_bytes = dimension("USAGE_TYPE", "NatGateway-Bytes")
    costs = [books.cost(midnight(day).date(), Filter=nat_bytes) for day in (1, 2, 3, 4, 5)]

    assert [round(float(cost), 4) for cost in costs] == [0, 40, 40, 40, 0]


def test_calm_ends_a_spike_and_leaves_what_it_cost(books):
    books.now = midnight(2)
    books.explorer.spike("AmazonCloudWatch", 24.0, 5)
    books.now = midnight(3) + timedelta(hours=12)

    ended = books.explorer.calm()

    books.now = midnight(10)
    logs = dimension("USAGE_TYPE", "USE1-DataProcessing-Bytes")
    costs = [books.cost(midnight(day).date(), Filter=logs) for day in (2, 3, 4)]
    assert ended == 1
    assert [round(float(cost), 4) for cost in costs] == [24, 12, 0]


@pytest.mark.parametrize(
    ("service", "usd", "days"),
    [("Amazon Mars", 5, 1), ("EC2 - Other", 0, 1), ("EC2 - Other", 5, 0)],
)
def test_spikes_that_make_no_sense_are_refused(books, service, usd, days):
    with pytest.raises(ValueError, match="must be"):
        books.explorer.spike(service, usd, days)


# -- prices ----------------------------------------------------------------------------------


def test_valkey_nodes_cost_a_fifth_less_than_redis():
    node = kinds.cache_node("cache.t4g.small", engine="valkey")

    assert price(node.price) == Decimal("0.0256")


def test_everything_the_history_bills_has_a_price():
    used = {entry.kind.price for entry in script.SCRIPT}

    assert used <= set(load())
