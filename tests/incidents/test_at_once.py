"""Two people at the same moment, each with a database connection of their own."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from catalog.models import ChangeEvent
from incidents import operations
from incidents.models import Assignment, Incident, IncidentRole, Status, TimelineEntry
from tests import make
from tests.incidents import builders

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Run the acts in threads that start together; return results or exceptions."""
    together = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        try:
            together.wait(timeout=200)
            return act()
        except operations.CannotChange as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_one_form_sent_twice_at_once_files_one_incident():
    olga, key, service = make.operator(), uuid.uuid4(), make.service()

    def file() -> Incident:
        return builders.filed(olga, key=key, service=service)

    first, second = at_once(file, file)

    assert first == second
    assert Incident.objects.count() == Assignment.objects.count() == 1
    assert ChangeEvent.objects.count() == TimelineEntry.objects.count() == 1


def test_of_two_moves_at_once_one_wins_and_the_other_is_told():
    olga, omar = make.operator(), make.operator("omar")
    pk = builders.filed(olga).pk

    def mitigate() -> None:
        builders.moved(Incident.objects.get(pk=pk), Status.MITIGATED, by=olga, version=1)

    def resolve() -> None:
        builders.moved(Incident.objects.get(pk=pk), Status.RESOLVED, by=omar, version=1)

    results = at_once(mitigate, resolve)

    refused = [result for result in results if isinstance(result, operations.CannotChange)]
    assert len(refused) == 1
    assert Incident.objects.get().version == 2
    assert TimelineEntry.objects.filter(kind="STATUS").count() == 1


def test_two_handovers_at_once_leave_one_commander():
    olga = make.operator()
    pk = builders.filed(olga).pk
    people = [make.operator("omar"), make.operator("oona")]

    def hand_over(to) -> None:
        operations.assign(
            incident=Incident.objects.get(pk=pk),
            version=1,
            role=IncidentRole.COMMANDER,
            to=to,
            by=olga,
            at=make.NOON,
        )

    at_once(*[lambda to=person: hand_over(to) for person in people])

    current = Assignment.objects.get(role=IncidentRole.COMMANDER, renounced_at=None)
    assert current.user in people
    assert Incident.objects.get().version == 2
