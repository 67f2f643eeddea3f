"""What PostgreSQL itself refuses."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from incidents.models import (
    Assignment,
    Incident,
    IncidentRole,
    Status,
)
from tests import make
from tests.incidents import builders
from tests.incidents.builders import LATER

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda entries: entries.update(text="it was not us"),
        lambda entries: entries.all().delete(),
    ],
    ids=["update", "delete"],
)
def test_postgresql_refuses_to_rewrite_the_timeline(rewrite):
    entries = builders.filed(make.operator()).timeline

    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        rewrite(entries)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "ON_FIRE"},
        {"severity": "SEV0"},
        {"status": Status.MITIGATED},
        {"status": Status.RESOLVED, "mitigated_at": LATER},
        {"resolved_at": LATER},
        {"closed_at": LATER},
        {"status": Status.CANCELED},
        {"detected_at": builders.ONSET - timedelta(seconds=1)},
        {"impact_started_at": LATER},
        {
            "status": Status.RESOLVED,
            "mitigated_at": LATER,
            "resolved_at": LATER - timedelta(seconds=1),
        },
    ],
)
def test_postgresql_refuses_what_must_never_be_true(changes):
    incident = builders.filed(make.operator())

    with pytest.raises(IntegrityError), transaction.atomic():
        Incident.objects.filter(pk=incident.pk).update(**changes)


def test_postgresql_refuses_a_second_commander():
    incident = builders.filed(make.operator())

    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.create(
            incident=incident,
            role=IncidentRole.COMMANDER,
            user=make.operator("omar"),
            assumed_at=LATER,
        )
