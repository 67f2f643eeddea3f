from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.utils import timezone

from aws.errors import Unreachable
from catalog.models import AuditEntry
from deployments import operations
from deployments.models import DecisionPoint, DecisionState, Outcome, Release, ReleaseEvent, Status
from deployments.operations import CannotMove, MovedMeanwhile, NotAllowed, NotReady, TooLate
from tests import make
from tests.deployments import build

pytestmark = pytest.mark.django_db


@pytest.fixture
def paused(ecs, draft, olga):
    return build.paused(draft, olga, ecs)


@pytest.fixture
def decision(paused) -> DecisionPoint:
    return paused.decisions.get()


def now():
    return timezone.now()


def test_a_release_cannot_start_before_its_preflight(draft, olga):
    with pytest.raises(NotReady, match="still running"):
        operations.start(release=draft, by=olga, at=now())


def test_a_release_cannot_start_if_it_is_not_known_what_runs(ecs, draft, olga):
    ecs.fail("service_facts", Unreachable("ecs:DescribeServices: AWS did not answer."))
    release = build.look(draft)

    with pytest.raises(NotReady, match="run the preflight again"):
        operations.start(release=release, by=olga, at=now())


def test_a_release_cannot_start_against_a_blocking_check(ecs, draft, olga):
    ecs.weights = {make.BLUE: 1}
    release = build.look(draft)

    with pytest.raises(NotReady, match="Load balancer rule"):
        operations.start(release=release, by=olga, at=now())


def test_a_preflight_older_than_ten_minutes_must_run_again(ecs, draft, olga):
    release = build.look(draft)

    with pytest.raises(NotReady, match="older than ten minutes"):
        operations.start(release=release, by=olga, at=now() + timedelta(minutes=11))


def test_a_preflight_can_run_again(ecs, draft, olga):
    ecs.images.clear()
    release = build.look(draft)
    ecs.images = {release.digest: ecs._image()}

    operations.check_again(release=release, by=olga, at=now())
    release = build.look(release)

    assert not release.preflight.filter(outcome=Outcome.BLOCK).exists()


def test_only_one_release_of_a_service_is_in_flight(ecs, service, olga):
    first = build.look(build.draft(service, olga, key="first"))
    second = build.look(build.draft(service, olga, key="second"))
    operations.start(release=first, by=olga, at=now())

    with pytest.raises(CannotMove, match=r"already has release 1\.4\.1 in flight"):
        operations.start(release=second, by=olga, at=now())


def test_the_database_refuses_a_second_release_in_flight(ecs, draft, service, olga):
    build.started(draft, olga)
    other = build.draft(service, olga, key="other")

    with pytest.raises(IntegrityError), transaction.atomic():
        Release.objects.filter(pk=other.pk).update(status=Status.STARTING)


def test_a_release_can_be_cancelled_until_ecs_is_asked(ecs, draft, olga):
    release = build.look(draft)
    operations.start(release=release, by=olga, at=now())

    operations.cancel(release=release, by=olga, at=now())

    assert build.look(release).status == Status.CANCELLED
    assert ecs.calls == []


def test_a_release_that_ecs_has_cannot_be_cancelled(ecs, draft, olga):
    release = build.started(draft, olga)

    with pytest.raises(CannotMove, match="roll it back instead"):
        operations.cancel(release=release, by=olga, at=now())


def test_two_approvers_one_after_the_other_one_is_told_who_won(decision, anna):
    ben = make.approver("ben")
    operations.approve(decision=decision, by=anna, at=now())

    with pytest.raises(MovedMeanwhile, match=r"Promoted by anna at \d\d:\d\d:\d\d UTC\."):
        operations.approve(decision=decision, by=ben, at=now())


def test_an_approval_after_a_rollback_is_told_who_rolled_back(paused, decision, olga, anna):
    operations.roll_back(release=paused, by=olga, at=now(), reason="Errors")

    with pytest.raises(MovedMeanwhile, match="Rollback requested by olga at"):
        operations.approve(decision=decision, by=anna, at=now())


def test_a_second_rollback_is_told_who_was_first(paused, olga, anna):
    operations.roll_back(release=paused, by=olga, at=now(), reason="Errors")

    with pytest.raises(MovedMeanwhile, match="Rollback requested by olga at"):
        operations.roll_back(release=paused, by=anna, at=now(), reason="Errors")


def test_a_rollback_overtakes_the_open_decision(paused, decision, olga):
    operations.roll_back(release=paused, by=olga, at=now(), reason="Errors")

    decision.refresh_from_db()
    assert decision.state == DecisionState.SUPERSEDED


def test_a_stale_page_cannot_approve_the_next_step(ecs, paused, decision, anna):
    ecs.continue_deployment(arn=ecs.newest, hook_id=decision.hook_id, action="CONTINUE")
    ecs.pause(ecs.newest, "ecs-pause-2", weight=10.0)
    build.look(paused)

    with pytest.raises(MovedMeanwhile):
        operations.approve(decision=decision, by=anna, at=now())

    assert DecisionPoint.objects.get(hook_id="ecs-pause-2").state == DecisionState.OPEN


@pytest.mark.parametrize(
    ("minutes", "before_expiry", "refused"),
    [(60, 29, True), (60, 31, False), (1, 5, True), (1, 7, False)],
)
def test_an_approval_close_to_the_expiry_is_refused(
    decision, anna, minutes, before_expiry, refused
):
    expires_at = decision.opened_at + timedelta(minutes=minutes)
    DecisionPoint.objects.filter(pk=decision.pk).update(expires_at=expires_at)
    decision.refresh_from_db()
    at = expires_at - timedelta(seconds=before_expiry)

    if refused:
        with pytest.raises(TooLate):
            operations.approve(decision=decision, by=anna, at=at)
    else:
        operations.approve(decision=decision, by=anna, at=at)


def test_four_eyes_want_another_person(paused, decision, settings, anna):
    settings.DEPLOYMENTS_FOUR_EYES = True
    Release.objects.filter(pk=paused.pk).update(requested_by=anna)
    decision = DecisionPoint.objects.get(pk=decision.pk)

    with pytest.raises(NotAllowed):
        operations.approve(decision=decision, by=anna, at=now())

    operations.approve(decision=decision, by=make.approver("ben"), at=now())


def test_two_eyes_suffice_unless_the_policy_says_otherwise(paused, decision, anna):
    Release.objects.filter(pk=paused.pk).update(requested_by=anna)

    operations.approve(decision=DecisionPoint.objects.get(pk=decision.pk), by=anna, at=now())

    decision.refresh_from_db()
    assert decision.decided_by == anna


def test_a_finished_release_cannot_be_rolled_back(ecs, draft, olga):
    release = build.started(draft, olga)
    ecs.show(ecs.newest, weight=100.0, status="SUCCESSFUL")
    release = build.look(release)

    with pytest.raises(TooLate, match="succeeded"):
        operations.roll_back(release=release, by=olga, at=now(), reason="Errors")


def test_a_draft_cannot_be_rolled_back(draft, olga):
    with pytest.raises(CannotMove):
        operations.roll_back(release=draft, by=olga, at=now(), reason="Errors")


def test_only_a_successful_release_can_be_restored_from(paused, olga):
    with pytest.raises(CannotMove, match="newest"):
        operations.restore(release=paused, reason="Slow", key="r", by=olga, at=now())


def test_only_the_newest_successful_release_can_be_restored_from(ecs, service, olga):
    first = succeeded(build.draft(service, olga, key="first"), ecs, olga)
    succeeded(build.draft(service, olga, key="second"), ecs, olga)

    with pytest.raises(CannotMove, match="newest"):
        operations.restore(release=first, reason="Slow", key="r", by=olga, at=now())


def succeeded(release, ecs, by) -> Release:
    release = build.started(release, by)
    ecs.show(ecs.newest, weight=100.0, status="SUCCESSFUL")
    return build.look(release)


def test_a_restore_asked_for_twice_is_one(ecs, draft, olga):
    release = build.started(draft, olga)
    ecs.show(ecs.newest, weight=100.0, status="SUCCESSFUL")
    release = build.look(release)

    first = operations.restore(release=release, reason="Slow", key="r", by=olga, at=now())
    second = operations.restore(release=release, reason="Slow", key="r", by=olga, at=now())

    assert first == second


def test_every_act_is_in_the_audit_log(paused, decision, anna, olga):
    operations.approve(decision=decision, by=anna, at=now())
    operations.roll_back(release=paused, by=olga, at=now(), reason="Errors")

    acts = list(AuditEntry.objects.order_by("id").values_list("actor_name", "action", "outcome"))

    assert acts == [
        ("olga", "deployments.request", "done"),
        ("olga", "deployments.start", "done"),
        ("anna", "deployments.approve", "done"),
        ("olga", "deployments.roll_back", "done"),
    ]


def test_a_refusal_changes_nothing_but_the_audit_log(paused, decision, anna):
    operations.approve(decision=decision, by=anna, at=now())
    events = ReleaseEvent.objects.count()

    with pytest.raises(MovedMeanwhile):
        operations.approve(decision=decision, by=anna, at=now())

    assert ReleaseEvent.objects.count() == events
    assert AuditEntry.objects.order_by("id").last().outcome == "refused"


def test_the_history_of_a_release_cannot_be_changed(paused):
    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        ReleaseEvent.objects.update(text="nothing happened")


@pytest.mark.django_db(transaction=True)
def test_of_twenty_approvals_at_once_one_wins(decision):
    people = [make.approver(f"approver{number}") for number in range(20)]

    outcomes = at_once(
        [
            lambda by=person: operations.approve(decision=fresh(decision), by=by, at=now())
            for person in people
        ]
    )

    assert outcomes.count(None) == 1
    decision.refresh_from_db()
    words = {str(error) for error in outcomes if error}
    assert words == {f"{decision.who_won}."}


@pytest.mark.django_db(transaction=True)
def test_an_approval_and_a_rollback_at_once_end_in_a_rollback(ecs, paused, decision, olga, anna):
    at_once(
        [
            lambda: operations.approve(decision=fresh(decision), by=anna, at=now()),
            lambda: operations.roll_back(
                release=Release.objects.get(pk=paused.pk), by=olga, at=now(), reason="Errors"
            ),
        ]
    )

    release = build.look(paused)

    assert release.status == Status.ROLLING_BACK
    assert ecs.count("stop_deployment") == 1
    assert ecs.count("continue_deployment") == 0


@pytest.mark.django_db(transaction=True)
def test_one_release_started_twice_at_once_starts_once(ecs, draft, olga):
    release = build.look(draft)

    outcomes = at_once(
        [
            lambda: operations.start(release=Release.objects.get(pk=release.pk), by=olga, at=now())
            for _ in range(5)
        ]
    )

    assert outcomes.count(None) == 1
    assert release.events.filter(text="Started").count() == 1


def fresh(decision: DecisionPoint) -> DecisionPoint:
    return DecisionPoint.objects.select_related("release").get(pk=decision.pk)


def at_once(acts):
    """Run the acts in threads that start together; return None or the refusal of each."""
    together = threading.Barrier(len(acts))

    def run(act):
        try:
            together.wait(200)
            act()
        except CannotMove as error:
            return error
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))
