"""Who holds which role, and who may."""

from __future__ import annotations

import pytest

from incidents import operations
from incidents.models import (
    Assignment,
    Incident,
    IncidentRole,
)
from tests import make
from tests.incidents import builders
from tests.incidents.builders import LATER, holders

pytestmark = pytest.mark.django_db


def test_command_is_handed_over_and_never_shared():
    olga, omar = make.operator(), make.operator("omar")
    incident = builders.filed(olga)

    operations.assign(
        incident=incident, version=1, role=IncidentRole.COMMANDER, to=omar, by=olga, at=LATER
    )

    assert holders(incident, IncidentRole.COMMANDER) == ["omar"]
    assert Assignment.objects.get(user=olga).renounced_at == LATER
    assert incident.timeline.last().sentence == "Incident Commander: olga → omar"


def test_experts_can_be_many():
    olga, omar = make.operator(), make.operator("omar")
    incident = builders.filed(olga)

    for person in (olga, omar):
        operations.assign(
            incident=incident,
            version=incident.version,
            role=IncidentRole.EXPERT,
            to=person,
            by=olga,
            at=LATER,
        )

    assert holders(incident, IncidentRole.EXPERT) == ["olga", "omar"]


def test_a_role_is_not_assigned_twice_to_the_same_person():
    olga = make.operator()

    with pytest.raises(operations.CannotChange, match="already"):
        operations.assign(
            incident=builders.filed(olga),
            version=1,
            role=IncidentRole.COMMANDER,
            to=olga,
            by=olga,
            at=LATER,
        )


@pytest.mark.parametrize("role", [role for role in IncidentRole if role != IncidentRole.OBSERVER])
def test_a_viewer_cannot_take_a_role_that_acts(role):
    olga = make.operator()

    with pytest.raises(operations.CannotChange, match="only observe"):
        operations.assign(
            incident=builders.filed(olga), version=1, role=role, to=make.user(), by=olga, at=LATER
        )


def test_a_viewer_may_observe():
    olga = make.operator()
    incident = builders.filed(olga)

    operations.assign(
        incident=incident, version=1, role=IncidentRole.OBSERVER, to=make.user(), by=olga, at=LATER
    )

    assert holders(incident, IncidentRole.OBSERVER) == ["vera"]


def test_the_commander_cannot_just_leave():
    olga = make.operator()
    incident = builders.filed(olga)

    with pytest.raises(operations.CannotChange, match="hand over"):
        operations.release(
            incident=incident,
            version=1,
            assignment=incident.assignments.get(),
            by=olga,
            at=LATER,
        )


def test_a_scribe_is_released_once():
    olga = make.operator()
    incident = builders.filed(olga)
    operations.assign(
        incident=incident, version=1, role=IncidentRole.SCRIBE, to=olga, by=olga, at=LATER
    )
    scribe = incident.assignments.get(role=IncidentRole.SCRIBE)
    operations.release(incident=incident, version=2, assignment=scribe, by=olga, at=LATER)

    with pytest.raises(operations.CannotChange, match="not Scribe any more"):
        operations.release(incident=incident, version=3, assignment=scribe, by=olga, at=LATER)

    assert holders(incident, IncidentRole.SCRIBE) == []
    assert Incident.objects.get().version == 3
