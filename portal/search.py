"""What the command palette finds: pages, services, releases, incidents."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from catalog.models import Service
from portal import navigation

LIMIT = 8


@dataclass(frozen=True)
class Found:
    """One result: `kind` says what it is."""

    title: str
    kind: str
    url: str


def find(query: str) -> list[Found]:
    """Return pages and things whose name contains the query; all pages for an empty one."""
    pages = [
        Found(section.title, "page", section.url)
        for section in navigation.sections("")
        if query.lower() in section.title.lower()
    ]
    return [*_services(query), *pages]


def _services(query: str) -> list[Found]:
    named = Q(title__icontains=query) | Q(slug__icontains=query) | Q(owner__icontains=query)
    return [
        Found(str(service), "service", service.get_absolute_url())
        for service in Service.objects.present().filter(named)[:LIMIT]
    ]
