from __future__ import annotations

import csv
import gzip
import io
import json
import re
from datetime import timedelta

import numpy as np
import pytest
from django.test import Client

from catalog.models import ChangeEvent, ChangeKind
from monitoring import operations
from monitoring.blocks import unshuffled
from monitoring.resources import layout_for
from tests import make
from tests.monitoring.clouds import MINUTE

pytestmark = pytest.mark.django_db

AT = make.NOON + timedelta(seconds=20)


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(AT, tick=False)


@pytest.fixture
def viewer():
    client = Client()
    client.force_login(make.user())
    return client


@pytest.fixture
def service(cloud):
    service = make.service(db_instance="news-production", cache_cluster="news-production-001")
    operations.collect(at=AT)
    return service


def url(service, rest=""):
    return f"/services/{service.slug}/{rest}"


def lines(response):
    length = int(response["X-Series-Length"])
    values = np.frombuffer(response.content, dtype="<f4").reshape(-1, length)
    return dict(zip(response["X-Series-Keys"].split(","), values, strict=True))


PAGES = ["", "series", "data/latency/", "data/latency.csv"]


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_sees_nothing(client, service, page):
    response = client.get(url(service, page))

    assert response.status_code == 302
    assert "/accounts/login/" in response["Location"]


@pytest.mark.parametrize("page", PAGES)
def test_a_viewer_sees_everything(viewer, service, page):
    assert viewer.get(url(service, page)).status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_a_service_that_does_not_exist_is_not_found(viewer, page):
    assert viewer.get(f"/services/no-such/{page}").status_code == 404


def test_only_operators_are_offered_actions(viewer, service):
    assert "New release" not in viewer.get(url(service)).content.decode()

    viewer.force_login(make.operator())
    page = viewer.get(url(service)).content.decode()

    assert f"/deployments/new/?service={service.slug}" in page
    assert f"/incidents/new/?service={service.slug}" in page


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("range=9y", "range"),
        ("from=yesterday&to=today", "time such as"),
        ("from=2026-03-02T12:00Z&to=2026-03-01T12:00Z", "before"),
        ("from=2020-01-01T00:00Z&to=2026-01-01T00:00Z", "455 days"),
        ("from=9999-12-31T23:59:59-23:00&to=9999-12-31T23:59Z", "time such as"),
    ],
)
@pytest.mark.parametrize("page", PAGES)
def test_a_bad_range_is_refused_in_words(viewer, service, page, query, reason):
    response = viewer.get(f"{url(service, page)}?{query}")

    assert response.status_code == 400
    assert reason in response.content.decode()


def test_an_unknown_set_is_refused(viewer, service):
    assert viewer.get(url(service, "series?set=everything")).status_code == 400


def test_an_unknown_chart_is_not_found(viewer, service):
    assert viewer.get(url(service, "data/astrology/")).status_code == 404


def test_series_are_floats_with_their_start_and_step(viewer, cloud, service):
    response = viewer.get(url(service, "series?range=1h"))

    assert response["X-Series-Start"] == str(int(make.NOON.timestamp()) - 3600)
    assert response["X-Series-Step"] == "60"
    assert response["X-Series-Settled"] == str(int(make.NOON.timestamp()) - 180)
    found = lines(response)
    np.testing.assert_allclose(found["lb.rate"], 1 / 60, rtol=1e-6)
    np.testing.assert_allclose(found["lb.errors"], 100 * 2 / 2)
    np.testing.assert_allclose(found["tg1.p99"], 1.0)


def test_gaps_stay_gaps(viewer, cloud, service):
    for minute in range(200):
        cloud.put("TargetResponseTime", make.NOON - minute * MINUTE, None)
    other = make.service(name="other")
    operations.collect(at=AT)

    found = lines(viewer.get(url(other, "series?range=1h")))

    assert np.isnan(found["lb.p99"]).all()
    assert not np.isnan(found["lb.rate"]).any()


def test_unchanged_series_are_not_sent_again(viewer, cloud, service):
    first = viewer.get(url(service, "series?range=1h"))

    again = viewer.get(url(service, "series?range=1h"), headers={"If-None-Match": first["ETag"]})

    assert first["Cache-Control"] == "private, max-age=15"
    assert again.status_code == 304
    assert again.content == b""
    assert again["ETag"] == first["ETag"]


def test_a_corrected_minute_makes_a_new_tag(viewer, cloud, service):
    first = viewer.get(url(service, "series?range=1h"))
    cloud.put("RequestCount", make.NOON - 2 * MINUTE, 600)

    operations.collect(at=AT + timedelta(seconds=60))
    again = viewer.get(url(service, "series?range=1h"), headers={"If-None-Match": first["ETag"]})

    assert again.status_code == 200
    assert lines(again)["lb.rate"][-2] == 10.0


def test_a_closed_day_is_sent_as_it_is_stored(viewer, cloud, service):
    for _ in range(2):
        operations.backfill(at=AT)
    operations.compact(at=AT)
    query = "from=2026-02-25T00:00Z&to=2026-02-26T00:00Z"

    response = viewer.get(url(service, f"series?set=raw&{query}"))

    assert response["Content-Encoding"] == "gzip"
    columns = len(layout_for(service).series)
    block = unshuffled(gzip.decompress(response.content), columns)
    assert block.shape == (1440, columns)
    assert (block == 1.0).all()


def test_an_open_day_is_not_kept_whole(viewer, service):
    query = "from=2026-03-02T00:00Z&to=2026-03-03T00:00Z"

    assert viewer.get(url(service, f"series?set=raw&{query}")).status_code == 404


def test_long_windows_come_in_coarse_steps(viewer, service):
    steps = [
        viewer.get(url(service, f"series?range={name}"))["X-Series-Step"]
        for name in ("24h", "7d", "14d")
    ]

    assert steps == ["60", "300", "1800"]


def test_the_board_asks_few_questions(viewer, service, django_assert_max_num_queries):
    viewer.get(url(service))

    with django_assert_max_num_queries(9):
        viewer.get(url(service))


def test_series_ask_few_questions(viewer, service, django_assert_max_num_queries):
    viewer.get(url(service, "series?range=24h"))

    with django_assert_max_num_queries(6):
        viewer.get(url(service, "series?range=24h"))


def test_a_board_without_data_says_so(viewer):
    service = make.service()

    page = viewer.get(url(service)).content.decode()

    assert "no data" in page
    assert "CloudWatch has not been read yet" in page
    assert "No p99 values in this window." in page


def test_a_service_without_load_balancer_has_no_empty_latency_chart(viewer, cloud):
    service = make.service(name="ingest", load_balancer="", target_groups=[])
    operations.collect(at=AT)

    page = viewer.get(url(service)).content.decode()

    assert 'data-panel="saturation"' in page
    assert 'data-panel="latency"' not in page


def test_an_error_of_the_collector_is_shown(viewer, service):
    service.collection.error = "cloudwatch:GetMetricData: Rate <exceeded>"
    service.collection.save()

    page = viewer.get(url(service)).content.decode()

    assert "Rate &lt;exceeded&gt;" in page


def test_an_old_last_hour_is_no_data(viewer, service, time_machine):
    time_machine.move_to(AT + timedelta(hours=2), tick=False)

    page = viewer.get(url(service)).content.decode()

    assert "CloudWatch was last read at 2026-03-02 12:00 UTC" in page


def test_changes_are_listed_and_marked(viewer, service):
    ChangeEvent.objects.create(
        service=service,
        at=AT - 5 * MINUTE,
        kind=ChangeKind.RELEASE,
        title="Release </script><b>1.4.1",
        actor="olga",
        key="release:1",
    )

    page = viewer.get(url(service, "?range=1h")).content.decode()

    assert "Release &lt;/script&gt;&lt;b&gt;1.4.1" in page
    spec = json.loads(re.search(r'id="board-spec"[^>]*>(.*?)</script>', page)[1])
    assert spec["markers"] == [
        {
            "at": int((AT - 5 * MINUTE).timestamp()),
            "symbol": "▲",
            "title": "Release </script><b>1.4.1",
        }
    ]


def test_hostile_target_group_names_are_text(viewer, cloud):
    hostile = "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/=<b>x/01"
    service = make.service(target_groups=[hostile])
    operations.collect(at=AT)

    page = viewer.get(url(service)).content.decode()
    table = viewer.get(url(service, "data/traffic-by-target-group/")).content.decode()
    file = viewer.get(url(service, "data/traffic-by-target-group.csv"))

    assert "<b>x" not in page
    assert "=&lt;b&gt;x" in table
    header = next(csv.reader(io.StringIO(file.getvalue().decode())))
    assert header[1] == "'=<b>x (requests/s)"


def test_a_file_has_exact_values_and_empty_gaps(viewer, cloud, service):
    cloud.put("RequestCount", make.NOON - 30 * MINUTE, 90)
    operations.collect(at=AT + timedelta(seconds=60))

    file = viewer.get(url(service, "data/traffic.csv?range=6h"))

    rows = list(csv.reader(io.StringIO(file.getvalue().decode())))
    assert (
        'filename="production-news-api-traffic-20260302T0600Z-20260302T1200Z.csv"'
        in file["Content-Disposition"]
    )
    assert rows[0] == ["time (UTC)", "requests (requests/s)", "provisional"]
    assert rows[1] == ["2026-03-02T06:00:00+00:00", "", ""]
    assert rows[-1] == ["2026-03-02T11:59:00+00:00", "0.01666667", "yes"]
    assert len(rows) == 361


def test_the_table_is_paginated_newest_first(viewer, service):
    first = viewer.get(url(service, "data/latency/?range=6h")).content.decode()
    last = viewer.get(url(service, "data/latency/?range=6h&page=99")).content.decode()

    assert "2026-03-02 11:59" in first
    assert "page 1 of 6" in first
    assert "page 6 of 6" in last
    assert "2026-03-02 06:00" in last
    assert first.count("<tr>") == 61


@pytest.mark.parametrize("page", ["-1", "x", "٣", "99999999999"])
def test_a_page_that_does_not_exist_is_the_first(viewer, service, page):
    assert "page 1 of" in viewer.get(url(service, f"data/latency/?page={page}")).content.decode()


def test_htmx_gets_only_the_table(viewer, service):
    headers = {"HX-Request": "true", "HX-Target": "data-latency"}

    body = viewer.get(url(service, "data/latency/"), headers=headers).content.decode()

    assert body.strip().startswith("<table")


def test_htmx_gets_only_the_vitals_with_fresh_sentences(viewer, service):
    headers = {"HX-Request": "true", "HX-Target": "vitals"}

    body = viewer.get(url(service), headers=headers).content.decode()

    assert body.strip().startswith('<section id="vitals"')
    assert '<p id="says-latency" hx-swap-oob="true">p99 1' in body


def test_a_fixed_range_does_not_poll(viewer, service):
    page = viewer.get(url(service, "?from=2026-03-02T10:00&to=2026-03-02T11:00Z")).content.decode()

    assert 'hx-trigger="every 15s"' not in page
    assert '"live": false' in page


def test_tasks_that_reported_are_not_called_running(viewer, cloud):
    service = make.service(load_balancer="", target_groups=[])
    operations.collect(at=AT)

    page = viewer.get(url(service)).text

    assert "Tasks that reported CPU" in page
    assert "a task that stopped and its successor" in page
    assert "Running tasks" not in page


def test_a_day_of_history_that_could_not_be_read_is_told(viewer, service):
    service.collection.backfill_error = "2026-03-01: CloudWatch answered 3 of 34 series in part."
    service.collection.save()

    page = viewer.get(url(service)).text

    assert "History before today could not be read" in page
    assert "3 of 34 series in part" in page
