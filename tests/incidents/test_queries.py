from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from incidents import operations, queries
from incidents.models import IncidentRole, Status
from tests import make
from tests.incidents import builders

pytestmark = pytest.mark.django_db


def test_the_banner_gets_open_major_incidents_worst_first_with_one_query(
    django_assert_num_queries,
):
    olga = make.operator()
    builders.filed(olga, title="second", severity="SEV2")
    builders.filed(olga, title="first", severity="SEV1")
    builders.filed(olga, title="minor", severity="SEV3")
    builders.at_status(Status.RESOLVED, by=olga, severity="SEV1")

    with django_assert_num_queries(1):
        banner = [(one.title, one.service.title, one.commander) for one in queries.open_major()]

    assert banner == [("first", "News API", "olga"), ("second", "News API", "olga")]


def test_the_commander_is_the_one_of_now():
    olga, omar = make.operator(), make.operator("omar")
    operations.assign(
        incident=builders.filed(olga),
        version=1,
        role=IncidentRole.COMMANDER,
        to=omar,
        by=olga,
        at=make.NOON,
    )

    assert queries.incidents().get().commander == "omar"


def test_only_what_others_can_read_counts_as_an_update():
    olga = make.operator()
    incident = builders.filed(olga)
    note = operations.add_note(
        incident=incident, key=uuid.uuid4(), text="news", by=olga, at=make.NOON
    )
    operations.assign(
        incident=incident, version=1, role=IncidentRole.SCRIBE, to=olga, by=olga, at=make.NOON
    )
    note.refresh_from_db()

    assert queries.incidents().get().last_update == note.recorded_at


def test_changes_of_other_services_and_incidents_are_no_suspects():
    olga = make.operator()
    incident = builders.filed(olga)
    builders.change_event(make.service(cluster="staging"))
    builders.change_event(incident.service, kind="INCIDENT")
    builders.change_event(incident.service, title="Release 1.4.1")
    builders.change_event(incident.service, at=builders.ONSET + timedelta(seconds=1))

    found = queries.changes_before(incident)

    assert [suspect.change.title for suspect in found] == ["Release 1.4.1"]


def test_roles_start_with_the_commander_and_leave_out_who_left():
    olga, omar = make.operator(), make.operator("omar")
    incident = builders.filed(olga)
    for role, person in ((IncidentRole.SCRIBE, olga), (IncidentRole.COMMANDER, omar)):
        operations.assign(
            incident=incident,
            version=incident.version,
            role=role,
            to=person,
            by=olga,
            at=make.NOON,
        )

    roles = [(held.role, held.user.username) for held in queries.current_roles(incident)]

    assert roles == [("COMMANDER", "omar"), ("SCRIBE", "olga")]


def test_durations_leave_out_old_and_canceled_incidents():
    olga = make.operator()
    builders.at_status(Status.RESOLVED, by=olga)
    builders.at_status(Status.CANCELED, by=olga)
    long_ago = make.NOON - timedelta(days=366)
    builders.filed(olga, at=long_ago, impact_started_at=long_ago)

    durations = queries.durations(queries.incidents(), at=make.NOON)

    assert durations.resolve.n == durations.mitigate.n == 1
    assert durations.resolve.median == 660.0
