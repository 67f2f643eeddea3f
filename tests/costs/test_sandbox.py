"""The whole way from the sandbox's Cost Explorer, through real boto3, to the page."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from aws import costexplorer
from costs import operations, queries
from costs.models import CostFact, IngestRun
from costs.months import Month
from tests import make
from tests.sandbox.account import Account

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    account = Account(tmp_path_factory.mktemp("costs") / "home").ready()
    yield account
    account.stop()


@pytest.fixture
def ingested(sandbox, monkeypatch):
    """Read all that is due at nine today, and return that moment."""
    at = timezone.now().replace(hour=9, minute=0)
    make.account()
    monkeypatch.setattr(costexplorer, "client", lambda: sandbox.client("ce"))
    while operations.ingest(at=at):
        pass
    return at


def test_a_fresh_account_is_read_within_the_day_s_allowance(client, ingested):
    client.force_login(make.user())

    # On the first of a month nothing of it has arrived.
    page = client.get(f"/costs/{Month.at(ingested).previous()}/")

    runs = IngestRun.objects.all()
    assert {run.status for run in runs} == {"SUCCEEDED"}
    assert sum(run.charged_requests for run in runs) <= 12
    assert page.status_code == 200
    assert "Amazon Relational Database Service" in page.text


@pytest.mark.usefixtures("ingested")
def test_both_shapes_of_the_sandbox_s_bill_agree_but_for_its_credit():
    def total(**filters):
        return sum((f.unblended for f in CostFact.objects.filter(**filters)), Decimal(0))

    credit = total(record_type="Credit")

    assert credit < 0
    assert total(shape="RECORD") - credit == total(shape="USAGE")


def test_nothing_more_is_asked_the_same_day(ingested):
    later = ingested + timedelta(hours=1)
    charged = queries.ingest_state(ingested).requests_this_month

    assert operations.ingest(at=later) is None
    assert queries.ingest_state(later).requests_this_month == charged
