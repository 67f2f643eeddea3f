from __future__ import annotations

import re
import uuid
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.test import Client

from costs.models import CostFact, Granularity, Shape
from deployments.models import DecisionPoint, Release, Status
from incidents.models import Incident, Severity
from monitoring import sparklines, timeseries
from monitoring.golden import GOLDEN
from monitoring.models import Collection
from tests import make

pytestmark = pytest.mark.django_db

AT = make.NOON + timedelta(seconds=20)
HEALTHY = {
    "p99": 0.2,
    "rate": 2.0,
    "errors": 0.0,
    "cpu": 30,
    "memory": 40,
    "running": 2,
    "requests": 120,
}
LIVE = {"HX-Request": "true", "HX-Target": "fleet"}


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(AT, tick=False)


@pytest.fixture
def viewer():
    client = Client()
    client.force_login(make.user())
    return client


def measured(service, **changes):
    """Give the service a last hour of the same minute, just read."""
    minute = [(HEALTHY | changes)[name] for name in GOLDEN]
    hour = np.tile(np.array(minute, dtype=np.float32), (60, 1))
    timeseries.put_now(make.NOON - timedelta(hours=1), {service.pk: hour})
    Collection.objects.update_or_create(
        service=service,
        defaults={"due_at": AT, "backfill_floor": AT.date(), "collected_at": AT},
    )
    return service


def release(service, **changes):
    defaults = {
        "key": uuid.uuid4().hex,
        "status": Status.NEEDS_DECISION,
        "strategy": "CANARY",
        "tag": "1.4.1",
        "target_weight": 10,
        "requested_at": AT,
    }
    return Release.objects.create(service=service, **defaults | changes)


def incident(service, severity):
    return Incident.objects.create(
        title="Search answers with 5xx",
        service=service,
        severity=severity,
        filing_key=uuid.uuid4(),
        impact_started_at=AT,
        declared_at=AT,
    )


def text(response):
    return re.sub(r"[ \n]+", " ", response.content.decode())


def test_a_stranger_is_sent_to_sign_in(client):
    assert client.get("/").status_code == 302


def test_without_an_account_the_page_says_what_fills_it(viewer):
    assert "No AWS account has been read yet" in text(viewer.get("/"))


def test_an_account_without_services_says_so(viewer):
    make.account()

    assert "This account has no ECS service yet" in text(viewer.get("/"))


def test_an_account_that_cannot_be_read_says_why(viewer):
    make.account(read_error="sts:GetCallerIdentity: expired <token>")

    assert "expired &lt;token&gt;" in text(viewer.get("/"))


def test_the_worst_service_is_first(viewer):
    measured(make.service(name="billing", title="Billing", tier=1))
    measured(make.service(name="news-api", title="News", tier=3), errors=4.1)
    make.service(name="search", title="Search", tier=2)

    page = text(viewer.get("/"))

    assert page.index(">News</a>") < page.index(">Search</a>") < page.index(">Billing</a>")
    assert "errors 4.1 %, more than 1 %" in page
    assert "CloudWatch has not been read yet" in page


def test_an_open_incident_comes_before_a_quiet_service(viewer):
    measured(make.service(name="billing", title="Billing", tier=1))
    hit = measured(make.service(name="search", title="Search", tier=5))
    incident(hit, Severity.SEV2)

    page = text(viewer.get("/"))

    assert page.index(">Search</a>") < page.index(">Billing</a>")
    assert "Search answers with 5xx" in page
    assert "open incidents <strong>1</strong>" in page


def test_nobody_is_called_healthy_by_old_numbers(viewer, time_machine):
    measured(make.service())
    time_machine.move_to(make.NOON + timedelta(minutes=5), tick=False)

    page = text(viewer.get("/"))

    assert "CloudWatch was last read at 2026-03-02 12:00 UTC" in page
    assert "200\u202fms" in page
    assert ">healthy" not in page


def test_numbers_have_units_and_a_line(viewer):
    measured(make.service(), p99=0.218, rate=18.24, errors=0.31, cpu=63)

    page = text(viewer.get("/"))

    for figure in ("218\u202fms", "18.2/s", "0.31\u202f%", "63\u202f%"):
        assert figure in page
    assert page.count('<svg class="spark') == 4


def test_a_release_in_flight_says_what_it_waits_for(viewer):
    service = measured(make.service())
    canary = release(service)
    DecisionPoint.objects.create(release=canary, hook_id="h", kind="PROMOTE", opened_at=AT)

    page = text(viewer.get("/"))

    assert "releases in flight <strong>1</strong>" in page
    assert "decisions waiting <strong>1</strong>" in page
    assert f'<a class="btn btn-sm" href="/deployments/{canary.pk}/">Review</a>' in page


def test_costs_of_the_month_are_shown_once_there_are_any(viewer):
    service = measured(make.service())
    before = text(viewer.get("/"))
    CostFact.objects.create(
        account=service.account,
        shape=Shape.RECORD,
        granularity=Granularity.DAILY,
        day=AT.date(),
        service="Amazon ECS",
        record_type="Usage",
        unblended=Decimal("18.4"),
        amortized=Decimal("18.4"),
        net_amortized=Decimal("18.4"),
        estimated=True,
        as_of=AT,
    )

    assert "month to date" not in before
    assert "month to date <strong>$18.40</strong>" in text(viewer.get("/"))


def test_old_numbers_are_marked(viewer):
    service = measured(make.service())
    Collection.objects.filter(service=service).update(collected_at=AT - timedelta(minutes=4))

    page = text(viewer.get("/"))

    assert 'class="is-stale"' in page


def test_the_live_part_is_not_sent_again_while_nothing_changed(viewer):
    service = measured(make.service())
    first = viewer.get("/", headers=LIVE)

    again = viewer.get("/", headers=LIVE | {"If-None-Match": first["ETag"]})
    measured(service, p99=0.9)
    changed = viewer.get("/", headers=LIVE | {"If-None-Match": first["ETag"]})

    assert first.content.decode().strip().startswith('<section id="fleet"')
    assert first["Cache-Control"] == "private, no-cache"
    assert (again.status_code, again.content) == (304, b"")
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


@pytest.mark.parametrize("change", ["release", "incident", "task"])
def test_whatever_can_be_seen_changes_the_tag(viewer, change):
    service = measured(make.service())
    before = viewer.get("/", headers=LIVE)["ETag"]

    if change == "release":
        release(service)
    elif change == "incident":
        incident(service, Severity.SEV3)
    else:
        service.running_count = 1
        service.save()

    assert viewer.get("/", headers=LIVE)["ETag"] != before


def test_fifty_services_take_eight_queries(viewer, django_assert_max_num_queries):
    for number in range(50):
        measured(make.service(name=f"service-{number}"))
    viewer.get("/")

    with django_assert_max_num_queries(8):
        viewer.get("/")


def test_hostile_names_are_text(viewer):
    measured(make.service(title="<script>alert(1)</script>", image="repo:<b>"))

    page = viewer.get("/").content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_service_that_is_gone_is_not_listed(viewer):
    make.service(gone_at=AT)

    assert "News API" not in text(viewer.get("/"))


def test_gaps_of_a_sparkline_stay_open():
    values = np.array([1, 2, np.nan, 2, np.nan, 1], dtype=np.float32)

    path = sparklines.path(values)

    assert path.count("M") == 3
    assert path.count("h.5") == 2
    assert sparklines.path(np.full(3, np.nan, dtype=np.float32)) == ""


def test_a_flat_zero_lies_on_the_ground():
    assert sparklines.path(np.zeros(2, dtype=np.float32)) == "M0,45L1,45"
