"""How numbers, times, states and sources look on every page: `{% load quarterdeck %}`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from ui import formats, states

register = template.Library()

STALE_AFTER = timedelta(minutes=3)
NO_DATA = mark_safe(
    '<span class="no-data"><span aria-hidden="true">—</span>'
    '<span class="visually-hidden">no data</span></span>'
)


def _quantity(name: str, formatted: Callable[[formats.Number], str]) -> None:
    """Register a filter that says "no data" where there is no number."""

    def quantity(value: object) -> str:
        exact = formats.number(value)
        return NO_DATA if exact is None else formatted(exact)

    register.filter(name, quantity)


_quantity("milliseconds", formats.milliseconds)
_quantity("rate", formats.rate)
_quantity("percent", formats.percent)
_quantity("percentage", formats.percentage)
_quantity("usd", formats.usd)
_quantity("usd_change", formats.usd_change)
_quantity("count", formats.count)
_quantity("bytes", formats.bytes_)


@register.filter
def duration(value: object) -> str:
    """Show seconds or a timedelta as `4 m 12 s`."""
    if isinstance(value, timedelta):
        return formats.duration(value)
    exact = formats.number(value)
    return NO_DATA if exact is None else formats.duration(exact)


@register.simple_tag
def moment(when: datetime | None) -> str:
    """Show how long ago, with the absolute UTC time on hover."""
    if not when:
        return NO_DATA
    return format_html(
        '<time datetime="{}" title="{}" data-moment>{}</time>',
        _iso(when),
        _utc(when),
        formats.ago(when, timezone.now()),
    )


@register.simple_tag
def clock(when: datetime | None) -> str:
    """Show the absolute time in UTC; the browser adds the viewer's own zone."""
    if not when:
        return NO_DATA
    return format_html('<time datetime="{}" data-clock>{}</time>', _iso(when), _utc(when))


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw a symbol of `templates/ui/icons.html`; the words beside it carry the meaning."""
    return format_html(
        '<svg class="glyph" aria-hidden="true" focusable="false"><use href="#icon-{}"/></svg>', name
    )


@register.simple_tag
def badge(word: object, tone: str = "") -> str:
    """Show a state as word, icon and tone; `tone` overrides what the word implies."""
    text = str(word or "no data")
    tone = tone if tone in states.TONES else states.tone(text)
    return format_html(
        '<span class="state tone-{}">{}{}</span>',
        tone,
        icon(states.ICONS[tone]),
        states.spoken(text),
    )


@register.filter
def spoken(word: object) -> str:
    """Show AWS's `BLUE_GREEN` as `blue/green`, `IN_PROGRESS` as `in progress`."""
    return states.spoken(str(word))


@register.simple_tag
def source(
    name: str, as_of: datetime | None = None, stale_after: timedelta | None = STALE_AFTER
) -> SafeString:
    """Say where a panel's numbers come from and how old they are.

    What is over does not change any more and does not age: `stale_after` is None then.
    """
    if not as_of:
        return format_html('<p class="source">{} · {}</p>', name, badge("never read", "neutral"))
    stale = stale_after is not None and timezone.now() - as_of > stale_after
    return format_html(
        '<p class="source{}">{} · as of {} {}</p>',
        " is-stale" if stale else "",
        name,
        _time_of_day(as_of),
        badge("stale") if stale else "",
    )


@register.inclusion_tag("ui/empty.html")
def empty(text: str, url: str = "", link: str = "") -> dict[str, str]:
    """Say what fills an empty place, and lead there."""
    return {"text": text, "url": url, "link": link}


def _time_of_day(when: datetime) -> SafeString:
    aware = when.astimezone(UTC)
    today = aware.date() == timezone.now().date()
    text = aware.strftime("%H:%M:%S UTC" if today else "%Y-%m-%d %H:%M UTC")
    return format_html(
        '<time datetime="{}" title="{}" data-clock>{}</time>', _iso(when), _utc(when), text
    )


def _iso(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _utc(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
