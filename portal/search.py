"""What the command palette finds: pages, services, releases, incidents."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from catalog.models import Service
from deployments.models import Release
from incidents.models import Incident
from portal import navigation

LIMIT = 8


@dataclass(frozen=True)
class Found:
    """One result: `kind` says what it is."""

    title: str
    kind: str
    url: str


def find(query: str) -> list[Found]:
    """Return what has the query in its name; for an empty one, all pages and some services."""
    pages = [
        Found(section.title, "page", section.url)
        for section in navigation.sections("")
        if query.lower() in section.title.lower()
    ]
    if not query:
        return [*pages, *_services(query)]
    return [*_services(query), *_releases(query), *_incidents(query), *pages]


def _services(query: str) -> list[Found]:
    named = Q(title__icontains=query) | Q(slug__icontains=query) | Q(owner__icontains=query)
    return [
        Found(str(service), "service", service.get_absolute_url())
        for service in Service.objects.present().filter(named)[:LIMIT]
    ]


def _releases(query: str) -> list[Found]:
    named = Q(tag__icontains=query) | Q(service__title__icontains=query)
    found = Release.objects.filter(named).select_related("service")[:LIMIT]
    return [Found(str(release), "release", release.get_absolute_url()) for release in found]


def _incidents(query: str) -> list[Found]:
    named = Q(title__icontains=query) | Q(service__title__icontains=query)
    if (number := query.upper().removeprefix("INC-")).isdecimal():
        named |= Q(pk=min(int(number), 2**62))
    found = Incident.objects.filter(named).order_by("-declared_at")[:LIMIT]
    return [Found(str(incident), "incident", incident.get_absolute_url()) for incident in found]
