from __future__ import annotations

import pytest
from django.test import Client

from tests import make

pytestmark = pytest.mark.django_db
POLL = {"HX-Request": "true", "HX-Target": "services"}


@pytest.fixture
def vera(client: Client) -> Client:
    make.service()
    client.force_login(make.user("vera"))
    return client


@pytest.mark.parametrize(
    ("headers", "whole"),
    [
        ({}, True),
        (POLL, False),
        (POLL | {"HX-Target": "toasts"}, True),
        (POLL | {"HX-History-Restore-Request": "true"}, True),
        ({"HX-Target": "services"}, True),
    ],
)
def test_only_a_live_part_that_the_page_allows_is_sent_alone(
    vera: Client, headers: dict[str, str], whole: bool
) -> None:
    page = vera.get("/services/", headers=headers).content.decode()

    assert ("<html" in page) is whole
    assert 'id="services"' in page


def test_caches_are_told_that_the_answer_depends_on_who_asks(vera: Client) -> None:
    vary = vera.get("/services/")["Vary"]

    assert {"HX-Request", "HX-Target", "Cookie"} <= set(vary.split(", "))
