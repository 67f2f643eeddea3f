from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from portal import tasks
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def noon(time_machine: object) -> None:
    time_machine.move_to(make.NOON, tick=False)


def session(key: str, age: timedelta) -> None:
    Session.objects.create(session_key=key, session_data="", expire_date=timezone.now() - age)


def test_sessions_that_have_run_out_are_deleted_and_others_stay() -> None:
    session("old", timedelta(hours=1))
    session("new", -timedelta(hours=1))

    tasks.clear_sessions()

    assert list(Session.objects.values_list("session_key", flat=True)) == ["new"]


def test_sessions_are_cleared_once_a_day() -> None:
    tasks.clear_sessions()
    session("old", timedelta(hours=1))

    tasks.clear_sessions()

    assert Session.objects.count() == 1
