from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import DataError, OperationalError, connection

from catalog import prepared
from catalog.models import Service, User
from catalog.prepared import Lookup
from tests import make

pytestmark = pytest.mark.django_db


def test_a_row_found_is_the_row_django_finds():
    made = make.service(target_groups=["arn:a", "arn:b"], tags={"owner": "news"})
    Service.objects.update(availability_objective=Decimal("99.9"), read_at=make.NOON)

    found = Lookup(Service, "slug").get(made.slug)

    expected = Service.objects.get(slug=made.slug)
    names = [field.attname for field in Service._meta.concrete_fields]
    assert {name: getattr(found, name) for name in names} == {
        name: getattr(expected, name) for name in names
    }


def test_a_row_found_can_be_saved():
    user = make.user("vera")
    found = Lookup(User, "id").get(user.pk)

    found.time_zone = "Europe/Vienna"
    found.save()

    assert User.objects.get().time_zone == "Europe/Vienna"


@pytest.mark.parametrize("slug", ["", "no-such", "%s", "'; drop table catalog_service; --"])
def test_no_row_is_none(slug):
    make.service()

    assert Lookup(Service, "slug").get(slug) is None


def test_a_lookup_sees_what_was_committed_since():
    service = make.service()
    lookup = Lookup(Service, "slug")
    for _ in range(9):
        lookup.get(service.slug)

    Service.objects.update(title="Renamed")

    assert lookup.get(service.slug).title == "Renamed"


def test_postgresql_plans_a_lookup_once():
    service = make.service()
    lookup = Lookup(Service, "slug")

    for _ in range(9):
        lookup.get(service.slug)

    with connection.cursor() as cursor:
        cursor.execute("select statement from pg_prepared_statements")
        prepared_ones = [statement for (statement,) in cursor if '"slug" = $1' in statement]
    assert len(prepared_ones) == 1


def test_lookups_are_counted_like_all_statements(django_assert_num_queries):
    service = make.service()

    with django_assert_num_queries(1):
        Lookup(Service, "slug").get(service.slug)


def test_errors_are_djangos():
    with pytest.raises(DataError), prepared.cursor() as cursor:
        cursor.execute("select %s::integer", ["x"])


def test_bytes_come_back_as_they_were_sent():
    with prepared.cursor() as cursor:
        cursor.execute("select %s::bytea", [b"\x00\xff\\x"])
        assert cursor.fetchone() == (b"\x00\xff\\x",)


def end_connection():
    """Have PostgreSQL end the connection of this thread, as a restart would."""
    pid = connection.connection.info.backend_pid
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("select pg_terminate_backend(%s)", [pid])
    other.close()


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_died_between_requests_is_replaced_unseen():
    service = make.service()
    connection.health_check_done = False
    end_connection()

    found = Lookup(Service, "slug").get(service.slug)

    assert found == service


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_dies_within_a_request_is_an_error():
    service = make.service()
    connection.health_check_done = True
    end_connection()

    with pytest.raises(OperationalError):
        Lookup(Service, "slug").get(service.slug)

    connection.close()


@pytest.mark.django_db(transaction=True)
def test_the_first_statement_of_a_request_is_its_health_check(django_assert_num_queries):
    service = make.service()
    connection.health_check_done = False

    with django_assert_num_queries(1):
        Lookup(Service, "slug").get(service.slug)
