from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.template import Context, Template

from ui import states
from ui.formats import THIN

AT = datetime(2026, 3, 2, 12, 0, 10, tzinfo=UTC)


def shown(template: str, **context: Any) -> str:
    page = Template("{% load quarterdeck %}" + template).render(Context(context))
    return page.replace(THIN, " ")


@pytest.mark.parametrize(
    "name",
    [
        "milliseconds",
        "rate",
        "percent",
        "percentage",
        "usd",
        "usd_change",
        "count",
        "duration",
        "bytes",
    ],
)
def test_every_quantity_says_no_data_instead_of_zero(name: str) -> None:
    page = shown("{{ value|" + name + " }}", value=None)

    assert ">—<" in page
    assert "no data" in page
    assert "0" not in page


def test_quantities_are_registered_under_their_own_names() -> None:
    page = shown(
        "{{ a|milliseconds }} {{ b|percent }} {{ c|percentage }} {{ d|usd }} {{ e|duration }}",
        a=0.218,
        b=0.041,
        c=63,
        d="456.85",
        e=timedelta(seconds=252),
    )

    assert page == "218 ms 4.1 % 63 % $456.85 4 m 12 s"


@time_machine.travel(AT + timedelta(minutes=12), tick=False)
def test_a_moment_is_relative_with_the_absolute_time_on_hover() -> None:
    page = shown("{% moment when %}", when=AT)

    assert 'datetime="2026-03-02T12:00:10Z"' in page
    assert 'title="2026-03-02 12:00:10 UTC"' in page
    assert ">12 m ago<" in page


def test_a_clock_says_its_zone() -> None:
    page = shown("{% clock when %}", when=AT)

    assert ">2026-03-02 12:00:10 UTC<" in page


def test_a_missing_time_is_no_data() -> None:
    assert "no data" in shown("{% moment when %}{% clock when %}", when=None)


@pytest.mark.parametrize(
    ("word", "tone", "text"),
    [
        ("ROLLBACK_SUCCESSFUL", "danger", "rollback successful"),
        ("SUCCESSFUL", "ok", "successful"),
        ("IN_PROGRESS", "info", "in progress"),
        ("SEV1", "danger", "SEV1"),
        ("degraded", "warning", "degraded"),
        ("no data", "neutral", "no data"),
        ("something new from ECS", "neutral", "something new from ECS"),
    ],
)
def test_a_badge_has_a_word_an_icon_and_a_tone(word: str, tone: str, text: str) -> None:
    page = shown("{% badge word %}", word=word)

    assert f'class="state tone-{tone}"' in page
    assert f'href="#icon-{states.ICONS[tone]}"' in page
    assert page.endswith(f"{text}</span>")


def test_a_badge_takes_another_tone() -> None:
    assert "tone-danger" in shown('{% badge "healthy" "danger" %}')


def test_a_word_from_aws_is_escaped() -> None:
    assert "<script>" not in shown("{% badge word %}", word="<script>alert(1)</script>")


@time_machine.travel(AT + timedelta(minutes=2), tick=False)
def test_a_source_says_when_it_was_read() -> None:
    page = shown('{% source "CloudWatch" when %}', when=AT)

    assert "CloudWatch · as of" in page
    assert ">12:00:10 UTC<" in page
    assert "stale" not in page


@time_machine.travel(AT + timedelta(minutes=4), tick=False)
def test_an_old_source_is_marked_stale() -> None:
    page = shown('{% source "CloudWatch" when %}', when=AT)

    assert "is-stale" in page
    assert ">stale<" in page.replace("</svg>", ">")


@time_machine.travel(AT + timedelta(days=40), tick=False)
def test_what_is_over_does_not_age() -> None:
    assert "stale" not in shown('{% source "ECS" when None %}', when=AT)


@time_machine.travel(AT + timedelta(minutes=4), tick=False)
def test_a_daily_source_is_not_stale_after_minutes() -> None:
    page = shown('{% source "Cost Explorer" when day %}', when=AT, day=timedelta(days=1))

    assert "is-stale" not in page


def test_a_source_never_read_says_so() -> None:
    assert "never read" in shown('{% source "ECS" when %}', when=None)


def test_an_empty_place_leads_to_what_fills_it() -> None:
    page = shown('{% empty "No releases yet." "/deployments/new/" "Start one" %}')

    assert "No releases yet." in page
    assert '<a href="/deployments/new/">Start one</a>' in page


def test_every_icon_of_a_tone_is_drawn() -> None:
    sprite = Template('{% include "ui/icons.html" %}').render(Context())

    assert all(f'id="icon-{name}"' in sprite for name in states.ICONS.values())
