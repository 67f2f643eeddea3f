"""Deployments that somebody else started, and the images there are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from aws import ecr
from aws.errors import Throttled, Unreachable
from catalog.models import ChangeEvent, ChangeKind, JobRun, Operation, OperationState
from catalog.schedule import PartlyDone
from deployments import images, operations, tasks, watching
from deployments.models import Image, Origin, Release, Repository, Status
from tests import make
from tests.deployments import build
from tests.deployments.ecs import NEW_DIGEST, REPOSITORY, TASK_DEFINITION

pytestmark = pytest.mark.django_db


def begin(ecs, *, minutes_ago=1, **changes) -> str:
    at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    arn = ecs.begin(f"{TASK_DEFINITION}:1", at=at)
    if changes:
        ecs.show(arn, **changes)
    return arn


def watch() -> None:
    watching.watch(at=timezone.now())


def test_a_deployment_started_elsewhere_appears_and_is_followed(ecs, service):
    arn = begin(ecs, status="IN_PROGRESS", lifecycle_stage="SCALE_UP")

    watch()

    release = Release.objects.get()
    assert (release.origin, release.status) == (Origin.EXTERNAL, Status.SCALING)
    assert release.service_deployment_arn == arn
    assert ChangeEvent.objects.get().kind == ChangeKind.RELEASE
    assert Operation.objects.get(target=f"release:{release.pk}").state == OperationState.OPEN


def test_it_can_be_rolled_back_here(ecs, service, olga):
    begin(ecs, status="IN_PROGRESS", lifecycle_stage="BAKE_TIME")
    watch()
    release = Release.objects.get()

    operations.roll_back(release=release, by=olga, at=timezone.now(), reason="Errors")
    build.look(release)

    assert ecs.count("stop_deployment") == 1


def test_its_pauses_can_be_answered_here(ecs, service, anna):
    arn = begin(ecs)
    ecs.pause(arn, "ecs-pause-7", weight=0.0)
    watch()
    release = build.look(Release.objects.get())
    assert release.status == Status.NEEDS_DECISION

    operations.approve(decision=release.decisions.get(), by=anna, at=timezone.now())
    build.look(release)

    assert ecs.calls == [("continue_deployment", ("ecs-pause-7", "CONTINUE"))]


def test_past_deployments_become_the_history(ecs, service):
    begin(ecs, minutes_ago=90, status="SUCCESSFUL", finished_at=datetime.now(UTC))
    begin(ecs, minutes_ago=30, status="ROLLBACK_SUCCESSFUL", rollback_reason="5xx alarm")

    watch()

    oldest, newest = Release.objects.order_by("requested_at")
    assert (oldest.status, newest.status) == (Status.SUCCEEDED, Status.ROLLED_BACK)
    assert "5xx alarm" in newest.verdict
    assert not Operation.objects.exists()


def test_looking_twice_records_once(ecs, service):
    begin(ecs, status="SUCCESSFUL")

    watch()
    watch()

    assert Release.objects.count() == ChangeEvent.objects.count() == 1


def test_our_own_deployment_is_not_external(ecs, draft, olga):
    release = build.look(draft)
    operations.start(release=release, by=olga, at=timezone.now())
    ecs.fail("list_deployments", Throttled("slow down"))
    release = build.look(release)
    assert release.service_deployment_arn is None

    watch()
    release = build.look(release)

    assert release.service_deployment_arn == ecs.newest
    assert Release.objects.count() == 1


def test_a_newer_deployment_supersedes_ours(ecs, draft, olga):
    release = build.started(draft, olga)
    ecs.begin(f"{TASK_DEFINITION}:1", at=datetime.now(UTC) + timedelta(minutes=1))

    watch()

    release.refresh_from_db()
    assert release.superseded
    assert release.events.filter(text__contains="newer deployment").count() == 1


def test_one_unreadable_service_does_not_hide_the_others(ecs, service):
    make.service(name="a-first")
    begin(ecs, status="SUCCESSFUL")
    ecs.fail("list_deployments", Unreachable("no answer"))

    with pytest.raises(PartlyDone, match="no answer"):
        watch()

    assert Release.objects.count() == 1


def test_a_service_with_an_answer_nobody_foresaw_is_named_and_the_others_go_on(ecs, service):
    make.service(name="a-first")
    begin(ecs, status="SUCCESSFUL")
    ecs.fail("list_deployments", KeyError("createdAt"))

    with pytest.raises(PartlyDone, match=r"production-\S+: KeyError: 'createdAt'"):
        watch()

    assert Release.objects.count() == 1


def test_an_aws_that_does_not_answer_is_not_asked_about_every_service(ecs, db):
    for number in range(9):
        make.service(name=f"service-{number}")
        ecs.fail("list_deployments", Unreachable("no answer"))

    with pytest.raises(PartlyDone):
        watch()

    assert len(ecs.failures["list_deployments"]) == 9 - watching.UNREAD_IN_A_ROW


def test_which_service_could_not_be_read_is_written_down_and_images_are_read_all_the_same(
    ecs, service, monkeypatch
):
    listed(monkeypatch, pushed("sha256:1", "1.0"))
    ecs.fail("list_deployments", Unreachable("ecs:ListServiceDeployments: no answer"))

    tasks.watch_services()

    job = JobRun.objects.get(job="deployments.watch")
    assert job.error == "production-news-api: ecs:ListServiceDeployments: no answer"
    assert Image.objects.count() == 1


def test_a_release_whose_work_was_given_up_is_followed_again(ecs, draft, olga):
    release = build.look(build.started(draft, olga))
    Operation.objects.update(state=OperationState.PARKED, finished_at=timezone.now())

    watch()

    assert Operation.objects.get(target=f"release:{release.pk}").state == OperationState.OPEN


def listed(monkeypatch, *found) -> None:
    monkeypatch.setattr(ecr, "images", lambda repository: list(found))


def pushed(digest: str, tag: str) -> ecr.Image:
    return ecr.Image("news-api", digest, (tag,), make.NOON, 1)


def test_images_are_those_that_ecr_lists_now(monkeypatch, service):
    listed(monkeypatch, pushed("sha256:1", "1.0"), pushed("sha256:2", "1.1"))
    images.refresh(at=make.NOON)
    listed(monkeypatch, pushed("sha256:2", "latest"))

    images.refresh(at=make.NOON)

    assert [(image.digest, image.tags) for image in Image.objects.all()] == [
        ("sha256:2", ["latest"])
    ]


def test_an_unreadable_repository_keeps_its_last_images_and_says_why(monkeypatch, service):
    listed(monkeypatch, pushed("sha256:1", "1.0"))
    images.refresh(at=make.NOON)

    def refuse(repository):
        raise Unreachable("ecr:DescribeImages: AWS did not answer.")

    monkeypatch.setattr(ecr, "images", refuse)
    images.refresh(at=timezone.now())

    repository = Repository.objects.get()
    assert repository.images.count() == 1
    assert "did not answer" in repository.read_error
    assert repository.read_at == make.NOON


def test_a_digest_is_shown_with_the_tag_it_has(db):
    build.image()

    named = images.named_image(f"{REPOSITORY}@{NEW_DIGEST}")

    assert named == f"{REPOSITORY}:1.4.1@{NEW_DIGEST}"


def test_fresh_images_are_read_only_when_somebody_asked(db):
    image = build.image()
    assert not images.wanted_now(at=timezone.now())

    Repository.objects.filter(pk=image.repository_id).update(refresh_requested_at=timezone.now())

    assert images.wanted_now(at=timezone.now())
