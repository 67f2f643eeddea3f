from __future__ import annotations

import csv
import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from catalog import audit, queries
from catalog.models import AuditEntry, JobRun, User
from portal import tasks
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga() -> User:
    return make.operator()


@pytest.fixture
def vera(client: Client) -> Client:
    client.force_login(make.user("vera"))
    return client


def enter(by: User | None, number: int, **changes: object) -> AuditEntry:
    return audit.record(by=by, action="deployments.request", target=f"release:{number}", **changes)


def tamper(sql: str, *values: object) -> None:
    """Change the log as somebody with the database's own password could."""
    with connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute(sql, values)
        cursor.execute("set local session_replication_role = origin")


def test_the_log_shows_who_did_what(vera: Client, olga: User) -> None:
    enter(olga, 42, detail={"image": "1.4.1"})

    page = vera.get("/audit/").content.decode()

    assert "release:42" in page
    assert "image: 1.4.1" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("actor=olg", {"release:1", "release:2"}),
        ("target=release:2", {"release:2"}),
        ("outcome=refused", {"release:2"}),
        ("action=request&actor=quarterdeck", {"release:3"}),
        ("outcome=anything", {"release:1", "release:2", "release:3"}),
    ],
)
def test_entries_are_filtered(vera: Client, olga: User, query: str, found: set[str]) -> None:
    enter(olga, 1)
    enter(olga, 2, outcome="refused")
    enter(None, 3)

    page = vera.get(f"/audit/?{query}").context["page"]

    assert {e.target for e in page.entries if e.action == "deployments.request"} == found


def test_pages_follow_each_other_without_gaps(olga: User) -> None:
    numbers = [enter(olga, number).pk for number in range(120)][::-1]
    everything = queries.AuditFilter()

    first = queries.audit_page(everything)
    second = queries.audit_page(everything, before=first.older)
    third = queries.audit_page(everything, before=second.older)
    back = queries.audit_page(everything, after=third.newer)

    shown = [entry.pk for page in (first, second, third) for entry in page.entries]
    assert shown == numbers
    assert [entry.pk for entry in back.entries] == [entry.pk for entry in second.entries]
    assert (first.newer, third.older) == (0, 0)


def test_a_page_does_not_shift_when_an_entry_is_added(olga: User) -> None:
    for number in range(60):
        enter(olga, number)
    first = queries.audit_page(queries.AuditFilter())
    before = queries.audit_page(queries.AuditFilter(), before=first.older)

    enter(olga, 99)

    assert queries.audit_page(queries.AuditFilter(), before=first.older) == before


def test_the_last_page_leads_back_even_when_it_is_empty(olga: User) -> None:
    page = queries.audit_page(queries.AuditFilter(), after=10**9)

    assert page == queries.AuditPage([], 0, 0)


def test_the_export_has_the_filtered_entries_and_is_audited(vera: Client, olga: User) -> None:
    enter(olga, 1)
    enter(None, 2)

    answer = vera.get("/audit.csv?actor=olga")

    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode())))
    assert [row["target"] for row in rows] == ["release:1"]
    assert AuditEntry.objects.get(action="catalog.export_audit").detail["actor"] == "olga"


def test_the_export_disarms_formulas(vera: Client) -> None:
    audit.record(by=None, action="x.y", target="=HYPERLINK(1)")

    text = b"".join(vera.get("/audit.csv")).decode()

    assert ",'=HYPERLINK(1)," in text


def test_an_altered_entry_is_marked_on_its_page(vera: Client, olga: User) -> None:
    entry = enter(olga, 1)
    enter(olga, 2)
    tamper("update catalog_auditentry set target = 'release:9' where id = %s", entry.pk)

    answer = vera.get("/audit/")

    assert [e.pk for e in answer.context["altered"]] == [entry.pk]
    assert "1 of the entries below do not follow" in answer.content.decode()


def test_a_removed_entry_marks_the_one_after_it(olga: User) -> None:
    enter(olga, 1)
    removed, following = enter(olga, 2), enter(olga, 3)
    tamper("delete from catalog_auditentry where id = %s", removed.pk)

    page = queries.audit_page(queries.AuditFilter())

    assert queries.altered(page.entries) == [following]


def test_verifying_an_intact_log_says_how_long_it_is(
    olga: User, capsys: pytest.CaptureFixture[str]
) -> None:
    enter(olga, 1)
    enter(olga, 2)

    call_command("verify_audit")

    assert "2 entries is intact" in capsys.readouterr().out


def test_verifying_an_altered_log_names_the_entry(olga: User) -> None:
    entry = enter(olga, 1)
    tamper("update catalog_auditentry set actor_name = 'vera' where id = %s", entry.pk)

    with pytest.raises(CommandError, match=f"breaks at entry {entry.pk}"):
        call_command("verify_audit")


def test_the_hourly_verification_is_shown_on_the_page(vera: Client, olga: User) -> None:
    enter(olga, 1)

    tasks.verify_audit()

    assert "whole log verified" in vera.get("/audit/").content.decode()


def test_a_broken_chain_is_shown_on_every_page_of_the_log(vera: Client, olga: User) -> None:
    for number in range(60):
        enter(olga, number)
    oldest = AuditEntry.objects.earliest("pk")
    tamper("update catalog_auditentry set target = 'release:9' where id = %s", oldest.pk)

    with pytest.raises(tasks.ChainBroken):
        tasks.verify_audit()

    assert "The chain of hashes is broken" in vera.get("/audit/").content.decode()


def test_the_log_is_verified_once_an_hour_however_often_it_rings(
    olga: User, time_machine: object
) -> None:
    time_machine.move_to(make.NOON, tick=False)
    tasks.verify_audit()
    first = JobRun.objects.get(job="catalog.verify_audit").finished_at

    tasks.verify_audit()

    assert JobRun.objects.get(job="catalog.verify_audit").finished_at == first
