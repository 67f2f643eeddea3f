"""The sections of the portal, in the order of the navigation."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse


@dataclass(frozen=True)
class Section:
    """An entry of the navigation; `key` is what follows `g` on the keyboard."""

    title: str
    url: str
    key: str
    current: bool


_SECTIONS = (
    ("Overview", "overview", "o"),
    ("Services", "catalog:services", "s"),
    ("Deployments", "deployments:list", "d"),
    ("Approvals", "deployments:approvals", "p"),
    ("Incidents", "incidents:list", "i"),
    ("Costs", "costs:month", "c"),
    ("Audit", "catalog:audit", "a"),
)


def sections(path: str) -> list[Section]:
    """Return all sections; the one with the longest URL that begins `path` is the current one."""
    found = [(title, reverse(name), key) for title, name, key in _SECTIONS]
    under = [url for _, url, _ in found if path == url or (url != "/" and path.startswith(url))]
    here = max(under, key=len, default="")
    return [Section(title, url, key, url == here) for title, url, key in found]
