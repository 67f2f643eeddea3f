from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from aws import costexplorer
from aws.costexplorer import TooManyPages
from aws.errors import Denied, Unreachable
from costs import operations, tasks
from costs.models import CostFact, IngestRun
from tests import make
from tests.costs import builders
from tests.costs.builders import AT, TODAY

pytestmark = pytest.mark.django_db
YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def ce(monkeypatch):
    """Set what Cost Explorer answers with."""

    def answers(answer):
        monkeypatch.setattr(costexplorer, "get_cost_and_usage", answer)

    answers(builders.bill())
    return answers


@pytest.fixture(autouse=True)
def _account(request):
    make.account()


def failing(error, after_pages=0):
    def answer(question, *, most_pages, charged):
        for _ in range(after_pages):
            charged()
        raise error

    return answer


def sums(**filters):
    facts = CostFact.objects.filter(**filters)
    return sum((fact.unblended for fact in facts), Decimal(0))


def test_both_shapes_hold_the_same_money(ce):
    run = operations.ingest(at=AT)

    days = 31 + 22
    assert run.status == "SUCCEEDED"
    assert sums(shape="USAGE") == sums(shape="RECORD") == days * Decimal("1.33")
    assert run.facts == CostFact.objects.count() == days * 4
    assert run.charged_requests == 2


def test_a_fact_is_what_cost_explorer_said(ce):
    operations.ingest(at=AT)

    fact = CostFact.objects.get(shape="USAGE", day=TODAY, service="EC2 - Other")
    assert (fact.usage_type, fact.quantity, fact.unit) == ("NatGateway-Hours", 24, "Hrs")
    assert fact.unblended == fact.amortized == fact.net_amortized == Decimal("1.08")
    assert (fact.estimated, fact.restated, fact.as_of) == (True, False, AT)


def test_credits_are_in_the_invoice_and_not_in_usage(ce):
    credit = {("EC2 - Other", "NatGateway-Hours", "Credit"): "-0.50"}
    ce(builders.bill(lambda day: builders.EVERY_DAY | (credit if day == TODAY else {})))

    operations.ingest(at=AT)

    assert sums(shape="RECORD", day=TODAY) == Decimal("0.83")
    assert sums(shape="USAGE", day=TODAY) == Decimal("1.33")


def test_a_quantity_of_mixed_units_is_none(ce):
    ce(builders.bill(lambda day: {("Tax", "NoUsageType", "Tax"): "9.17"}))

    operations.ingest(at=AT)

    assert set(CostFact.objects.filter(shape="USAGE").values_list("quantity", "unit")) == {
        (None, "")
    }


def test_what_cost_nothing_and_used_nothing_is_no_fact(ce):
    def nothing(question, *, most_pages, charged):
        group = builders.group(TODAY, ("AWS Glue", "x"), Decimal(0), question.metrics)
        amounts = dict(group.amounts)
        amounts.pop("UsageQuantity", None)
        return [costexplorer.Group(group.start, group.end, group.keys, amounts, estimated=True)]

    ce(nothing)

    assert operations.ingest(at=AT).facts == 0


def test_the_history_is_read_next_as_months_and_then_nothing(ce):
    runs = [operations.ingest(at=AT) for _ in range(3)]

    assert [run and run.granularity for run in runs] == ["DAILY", "MONTHLY", None]
    monthly = CostFact.objects.filter(granularity="MONTHLY")
    assert {fact.day.day for fact in monthly} == {1}
    assert monthly.order_by("day").first().day == date(2025, 11, 1)


def test_reading_again_replaces_and_deletes_what_vanished(ce):
    operations.ingest(at=AT)
    operations.ingest(at=AT)
    ce(builders.bill(lambda day: {("EC2 - Other", "NatGateway-Hours", "Usage"): "2.00"}))

    operations.ingest(at=AT + timedelta(days=1))

    window = {"shape": "RECORD", "day__gte": date(2026, 11, 13)}
    assert CostFact.objects.filter(**window).count() == 11
    assert sums(**window) == 22
    assert sums(shape="RECORD", day=date(2026, 11, 12)) == Decimal("1.33")


def test_a_final_figure_that_changes_is_marked_and_stays_marked(ce):
    operations.ingest(at=AT)
    last_of_october = {"shape": "RECORD", "service": "EC2 - Other", "day": date(2026, 10, 31)}
    changed = {("EC2 - Other", "NatGateway-Hours", "Usage"): "1.09"}
    ce(builders.bill(lambda day: changed if day == date(2026, 10, 31) else builders.EVERY_DAY))
    IngestRun.objects.all().delete()

    operations.ingest(at=AT + timedelta(minutes=1))

    assert CostFact.objects.get(**last_of_october).restated
    assert not CostFact.objects.filter(day=TODAY, restated=True).exists()


def test_an_estimate_that_changes_is_no_restatement(ce):
    operations.ingest(at=AT)
    ce(builders.bill(lambda day: {("EC2 - Other", "NatGateway-Hours", "Usage"): "7"}))
    IngestRun.objects.all().delete()

    operations.ingest(at=AT + timedelta(minutes=1))

    assert CostFact.objects.get(shape="RECORD", day=TODAY).restated is False


def test_a_month_is_never_held_by_day_and_as_a_whole(ce):
    builders.fact(day=date(2026, 9, 3))
    operations.ingest(at=AT)

    operations.ingest(at=AT)

    september = CostFact.objects.filter(shape="RECORD", day__year=2026, day__month=9)
    assert {fact.granularity for fact in september} == {"MONTHLY"}


@pytest.mark.parametrize(
    ("error", "missing"),
    [
        (Unreachable("timed out"), ""),
        (TooManyPages("more than 12 pages"), ""),
        (
            Denied("lacks", code="AccessDenied", operation="ce", action="ce:GetCostAndUsage"),
            "ce:GetCostAndUsage",
        ),
    ],
    ids=["unreachable", "too many pages", "denied"],
)
def test_a_failure_stores_nothing_and_says_so(ce, error, missing):
    ce(failing(error, after_pages=2))

    run = operations.ingest(at=AT)

    assert (run.status, run.error, run.missing_action) == ("FAILED", str(error), missing)
    assert run.charged_requests == 2
    assert not CostFact.objects.exists()


def test_a_failure_of_the_second_shape_stores_nothing_of_the_first(ce):
    def answer(question, *, most_pages, charged):
        if question.dimensions[1] == "RECORD_TYPE":
            raise Unreachable("timed out")
        return builders.bill()(question, most_pages=most_pages, charged=charged)

    ce(answer)

    assert operations.ingest(at=AT).status == "FAILED"
    assert not CostFact.objects.exists()


def test_after_a_failure_what_was_known_stays_and_it_is_tried_again_later(ce):
    operations.ingest(at=AT)
    operations.ingest(at=AT)
    known = CostFact.objects.count()
    tomorrow = AT + timedelta(days=1)
    ce(failing(Unreachable("timed out")))
    operations.ingest(at=tomorrow)

    assert CostFact.objects.count() == known
    assert operations.ingest(at=tomorrow + timedelta(minutes=1)) is None
    ce(builders.bill())
    assert operations.ingest(at=tomorrow + timedelta(minutes=2)).status == "SUCCEEDED"


def test_another_currency_is_refused(ce):
    def yuan(question, *, most_pages, charged):
        amount = costexplorer.Amount(Decimal(7), "CNY")
        amounts = dict.fromkeys(question.metrics, amount)
        return [costexplorer.Group(TODAY, TODAY, ("EC2", "x"), amounts, estimated=True)]

    ce(yuan)

    run = operations.ingest(at=AT)

    assert run.status == "FAILED"
    assert "CNY" in run.error


def test_a_bug_is_recorded_and_raised(ce):
    ce(failing(ZeroDivisionError("oops")))

    with pytest.raises(ZeroDivisionError):
        operations.ingest(at=AT)

    assert IngestRun.objects.get().error == "ZeroDivisionError: oops"


def test_the_second_shape_may_only_spend_what_the_first_left(ce, settings):
    settings.COSTS_CHARGED_REQUESTS_PER_DAY = 5
    allowed = []

    def answer(question, *, most_pages, charged):
        allowed.append(most_pages)
        for _ in range(3):
            charged()
        return []

    ce(answer)
    operations.ingest(at=AT)

    assert allowed == [5, 2]


def test_a_dead_worker_s_run_is_over_when_its_lease_is(ce):
    dead = builders.run(status="RUNNING", finished_at=None, charged_requests=2, started_at=AT)
    assert operations.ingest(at=AT) is None
    with connection.cursor() as cursor:
        cursor.execute("update costs_ingestrun set lease_until = now() - interval '1 second'")

    taken = operations.ingest(at=AT + timedelta(minutes=20))

    dead.refresh_from_db()
    assert (dead.status, dead.charged_requests) == ("FAILED", 2)
    assert taken.status == "SUCCEEDED"


def test_whoever_lost_the_lease_stores_nothing(ce):
    def overtaken(question, *, most_pages, charged):
        IngestRun.objects.update(status="FAILED", finished_at=AT)
        return builders.bill()(question, most_pages=most_pages, charged=lambda: None)

    ce(overtaken)

    operations.ingest(at=AT)

    assert not CostFact.objects.exists()


def test_a_lost_lease_is_noticed_before_the_next_page(ce):
    def overtaken(question, *, most_pages, charged):
        IngestRun.objects.update(status="FAILED", finished_at=AT)
        charged()
        raise AssertionError("asked on")

    ce(overtaken)

    assert operations.ingest(at=AT).status == "FAILED"


def test_without_an_account_nothing_is_asked(ce):
    make.account().delete()

    assert operations.ingest(at=AT) is None


@pytest.mark.usefixtures("the_clock_stands")
def test_the_task_reads_all_that_is_due(ce):
    tasks.ingest_costs()

    assert list(IngestRun.objects.values_list("granularity", flat=True)) == ["MONTHLY", "DAILY"]


def test_postgresql_refuses_a_second_reader_and_a_fact_twice():
    builders.run(status="RUNNING", finished_at=None)
    builders.fact()

    with pytest.raises(IntegrityError), transaction.atomic():
        builders.run(status="RUNNING", finished_at=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        builders.fact()


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": "USAGE", "record_type": "Usage"},
        {"usage_type": "x"},
        {"granularity": "MONTHLY", "day": date(2026, 11, 2)},
    ],
    ids=["usage with record type", "record with usage type", "month that starts on the 2nd"],
)
def test_postgresql_refuses_facts_of_no_shape(changes):
    with pytest.raises(IntegrityError), transaction.atomic():
        builders.fact(**changes)


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_are_charged_once(monkeypatch):
    together = threading.Barrier(2)
    monkeypatch.setattr(costexplorer, "get_cost_and_usage", builders.bill())

    def work(_) -> object:
        try:
            together.wait(timeout=200)
            return operations.ingest(at=AT)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))

    daily = IngestRun.objects.filter(granularity="DAILY")
    assert [run.charged_requests for run in daily] == [2]
