"""What ECR and Inspector say about an image, in every state a scan can be in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sandbox import clock
from sandbox.errors import AwsError
from sandbox.images import IMAGES
from sandbox.registry import catalogue, filters, views
from sandbox.registry.scans import SCAN_SECONDS, Scan, Scans, StoredImage


@pytest.fixture(autouse=True)
def a_clock_to_step(tmp_path):
    path = tmp_path / "clock"
    # Between two steps no time passes to speak of, however slow the machine is.
    clock.prepare(path, 1e-9)
    clock.use(path)
    yield
    clock.use(None)


@pytest.fixture
def scans(state):
    return Scans(state)


def image(tag, *, age=1.0, repository="news-api"):
    pushed = clock.now() - timedelta(days=age)
    return StoredImage(repository, f"sha256:{tag}", (tag,), 1, pushed, "type")


def pushed_now(image):
    """An image whose first scan has ended."""
    clock.step(SCAN_SECONDS)
    return image


def basic(scans, frequency="SCAN_ON_PUSH"):
    filters = [{"filter": "news-*", "filterType": "WILDCARD"}]
    scans.configure("BASIC", [{"scanFrequency": frequency, "repositoryFilters": filters}])


def test_a_new_image_is_pending_and_then_active(scans):
    pushed = image("1.4.0", age=0)

    before = scans.of(pushed)
    clock.step(SCAN_SECONDS)
    after = scans.of(pushed)

    assert (before.status, before.answered, len(before.findings)) == ("PENDING", False, 0)
    assert (after.status, after.answered) == ("ACTIVE", True)
    assert after.findings


def test_an_old_image_is_not_clean_but_no_longer_scanned(scans):
    scan = scans.of(image("1.2.0", age=31))

    assert (scan.status, scan.answered) == ("SCAN_ELIGIBILITY_EXPIRED", False)


def test_an_image_without_an_operating_system_cannot_be_scanned(scans):
    basic(scans)

    scan = scans.of(pushed_now(image("scratch", age=0, repository="news-tools")))

    assert (scan.status, scan.answered) == ("UNSUPPORTED_IMAGE", False)


def test_a_repository_no_rule_names_is_not_scanned(scans):
    assert scans.of(image("1.4.0", repository="other")) is None


def test_a_basic_scan_knows_no_python_packages(scans):
    enhanced = {f.vulnerability.id for f in scans.of(image("1.4.0")).findings}
    basic(scans)
    scan = scans.of(pushed_now(image("1.4.0", age=0)))

    assert scan.status == "COMPLETE"
    assert {f.vulnerability.id for f in scan.findings} < enhanced
    assert {f.vulnerability.manager for f in scan.findings} == {"OS"}


def test_a_basic_scan_by_hand_takes_a_while_and_runs_once_a_day(scans):
    basic(scans, "MANUAL")
    asked = image("1.4.0")

    assert scans.of(asked) is None
    scans.begin(asked)
    assert scans.of(asked).status == "IN_PROGRESS"
    clock.step(SCAN_SECONDS)
    assert scans.of(asked).status == "COMPLETE"
    with pytest.raises(AwsError) as refused:
        scans.begin(asked)
    assert refused.value.code == "LimitExceededException"
    clock.step(24 * 3600)
    scans.begin(asked)


def test_an_image_is_scanned_on_push_by_the_settings_of_that_moment(scans):
    before = image("1.3.0", age=0)
    clock.step(60)
    basic(scans)
    clock.step(60)
    pushed = image("1.4.0", age=0)
    clock.step(60)
    basic(scans, "MANUAL")

    assert scans.of(before) is None
    assert scans.of(pushed).status == "COMPLETE"


def test_scans_by_hand_are_off_while_inspector_scans(scans):
    with pytest.raises(AwsError) as refused:
        scans.begin(image("1.4.0"))

    assert refused.value.code == "ValidationException"


def test_basic_scanning_is_never_continuous(scans):
    with pytest.raises(AwsError) as refused:
        basic(scans, "CONTINUOUS_SCAN")

    assert refused.value.code == "InvalidParameterException"


def test_the_configuration_outlives_the_process(scans, state):
    basic(scans)

    assert Scans(state).configuration["scanType"] == "BASIC"


def test_newer_images_have_fewer_vulnerabilities():
    counts = [len(catalogue.findings(image.tag)) for image in IMAGES]

    assert counts == sorted(counts, reverse=True)
    assert counts[-1] < counts[0] / 3


def test_the_running_image_has_a_critical_one_that_the_next_release_fixes():
    running = views.severities(catalogue.findings("1.4.0"))
    following = views.severities(catalogue.findings("1.4.1"))

    assert running["CRITICAL"] > 0
    assert following.keys() & {"CRITICAL", "HIGH"} == set()


@pytest.mark.parametrize("vulnerability", catalogue.VULNERABILITIES, ids=lambda v: v.id)
def test_a_fix_is_no_version_an_affected_image_has(vulnerability):
    affected = [
        finding.version
        for tag in ("1.2.0", "1.3.0", "1.4.0", "1.4.1")
        for finding in catalogue.findings(tag)
        if finding.vulnerability == vulnerability
    ]

    assert affected
    assert not set(affected) & set((vulnerability.fixed or "").split(", "))


def finding():
    """The worst finding of the running image as ListFindings tells it."""
    worst = catalogue.findings("1.4.0")[0]
    return views.inspector(image("1.4.0"), Scan("ACTIVE", clock.now(), [worst]), worst, {})


@pytest.mark.parametrize(
    ("criteria", "fits"),
    [
        ({"severity": [{"comparison": "EQUALS", "value": "CRITICAL"}]}, True),
        ({"severity": [{"comparison": "NOT_EQUALS", "value": "CRITICAL"}]}, False),
        ({"title": [{"comparison": "PREFIX", "value": "CVE-20"}]}, True),
        ({"ecrImageTags": [{"comparison": "EQUALS", "value": "1.4.1"}]}, False),
        ({"inspectorScore": [{"lowerInclusive": 9.9}]}, False),
        ({"inspectorScore": [{"lowerInclusive": 1.0, "upperInclusive": 9.8}]}, True),
        ({"ecrImageInUseCount": [{"lowerInclusive": 1}]}, False),
    ],
    ids=str,
)
def test_a_criterion_chooses_findings(criteria, fits):
    assert filters.matches(finding(), criteria) is fits


def test_a_criterion_that_is_not_known_is_refused():
    with pytest.raises(AwsError) as refused:
        filters.matches(finding(), {"lambdaFunctionName": []})

    assert refused.value.code == "ValidationException"
