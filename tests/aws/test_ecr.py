from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aws import alarms, ecr
from aws.errors import Refused
from tests.aws.stubs import stubbed

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
TUESDAY = datetime(2026, 3, 3, tzinfo=UTC)


def detail(digest: str, pushed_at: datetime, **more):
    return {
        "repositoryName": "news-api",
        "imageDigest": digest,
        "imagePushedAt": pushed_at,
        "imageSizeInBytes": 48_000_000,
        **more,
    }


def test_images_are_listed_newest_first_over_all_pages(monkeypatch):
    with stubbed(monkeypatch, ecr, "ecr") as stub:
        stub.add_response(
            "describe_images",
            {"imageDetails": [detail("sha256:1", MONDAY)], "nextToken": "more"},
            {"repositoryName": "news-api"},
        )
        stub.add_response(
            "describe_images",
            {"imageDetails": [detail("sha256:2", TUESDAY, imageTags=["1.4.1"])]},
            {"repositoryName": "news-api", "nextToken": "more"},
        )

        found = ecr.images("news-api")

    assert [(image.digest, image.tags) for image in found] == [
        ("sha256:2", ("1.4.1",)),
        ("sha256:1", ()),
    ]


def test_the_findings_of_a_scan_are_counted_by_severity(monkeypatch):
    scanned = detail(
        "sha256:1",
        MONDAY,
        imageScanStatus={"status": "COMPLETE"},
        imageScanFindingsSummary={"findingSeverityCounts": {"HIGH": 2}},
    )
    with stubbed(monkeypatch, ecr, "ecr") as stub:
        stub.add_response(
            "describe_images",
            {"imageDetails": [scanned]},
            {"repositoryName": "news-api", "imageIds": [{"imageDigest": "sha256:1"}]},
        )

        image = ecr.image("news-api", "sha256:1")

    assert (image.scan_status, image.findings) == ("COMPLETE", {"HIGH": 2})


def test_an_image_that_is_gone_is_refused(monkeypatch):
    with stubbed(monkeypatch, ecr, "ecr") as stub:
        stub.add_client_error("describe_images", "ImageNotFoundException", "gone")

        with pytest.raises(Refused) as refusal:
            ecr.image("news-api", "sha256:1")

    assert refusal.value.code == "ImageNotFoundException"


def test_an_answer_without_images_is_an_image_that_is_gone(monkeypatch):
    with stubbed(monkeypatch, ecr, "ecr") as stub:
        stub.add_response("describe_images", {"imageDetails": []})

        with pytest.raises(Refused) as refusal:
            ecr.image("news-api", "sha256:1")

    assert refusal.value.code == "ImageNotFoundException"


def test_the_states_of_alarms_of_both_kinds(monkeypatch):
    with stubbed(monkeypatch, alarms, "cloudwatch") as stub:
        stub.add_response(
            "describe_alarms",
            {
                "MetricAlarms": [{"AlarmName": "5xx", "StateValue": "OK"}],
                "CompositeAlarms": [{"AlarmName": "any", "StateValue": "ALARM"}],
            },
            {
                "AlarmNames": ["5xx", "any"],
                "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
                "MaxRecords": 100,
            },
        )

        assert alarms.states(["5xx", "any"]) == {"5xx": "OK", "any": "ALARM"}


def test_alarms_on_a_second_page_exist(monkeypatch):
    with stubbed(monkeypatch, alarms, "cloudwatch") as stub:
        first = {"MetricAlarms": [{"AlarmName": "5xx", "StateValue": "OK"}], "CompositeAlarms": []}
        stub.add_response("describe_alarms", first | {"NextToken": "more"})
        second = {"MetricAlarms": [{"AlarmName": "slow", "StateValue": "OK"}]}
        stub.add_response("describe_alarms", second | {"CompositeAlarms": []})

        assert alarms.states(["5xx", "slow"]) == {"5xx": "OK", "slow": "OK"}
