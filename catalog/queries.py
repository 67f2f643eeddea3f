"""What the pages of the catalog read."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Q, QuerySet

from catalog.audit import GENESIS, fingerprint
from catalog.models import AuditEntry, JobRun, Service

PAGE = 50


def services(*, text: str = "", environment: str = "") -> QuerySet[Service]:
    """Return the services ECS still lists, by name, owner or image and by environment."""
    found = Service.objects.present().select_related("account")
    if environment:
        found = found.filter(environment=environment)
    if text:
        named = Q(title__icontains=text) | Q(slug__icontains=text)
        found = found.filter(named | Q(owner__icontains=text) | Q(image__icontains=text))
    return found


def environments() -> list[str]:
    """Return the environments there are services in."""
    names = Service.objects.present().exclude(environment="")
    return list(names.order_by("environment").values_list("environment", flat=True).distinct())


@dataclass(frozen=True)
class AuditFilter:
    """What to look for; empty means anything. Actor and target match from their beginning."""

    actor: str = ""
    action: str = ""
    target: str = ""
    outcome: str = ""

    def entries(self) -> QuerySet[AuditEntry]:
        """Return the entries that match, newest first."""
        wanted = {
            "actor_name__istartswith": self.actor,
            "action__icontains": self.action,
            "target__istartswith": self.target,
            "outcome": self.outcome,
        }
        return AuditEntry.objects.filter(**{key: value for key, value in wanted.items() if value})

    @property
    def query(self) -> str:
        """The filter as the query of a URL."""
        return urlencode({name: value for name, value in vars(self).items() if value})


@dataclass(frozen=True)
class AuditPage:
    """Up to 50 entries, newest first. `older` and `newer` are ids to continue from, 0 at an end."""

    entries: list[AuditEntry]
    older: int
    newer: int


def audit_page(wanted: AuditFilter, *, before: int = 0, after: int = 0) -> AuditPage:
    """Return the entries next to an id: a page costs the same however far back it is."""
    matching = wanted.entries()
    if after:
        rows = list(matching.filter(id__gt=after).order_by("id")[: PAGE + 1])
        more_newer, more_older = len(rows) > PAGE, True
        entries = rows[:PAGE][::-1]
    else:
        older = matching.filter(id__lt=before) if before else matching
        rows = list(older.order_by("-id")[: PAGE + 1])
        more_newer, more_older = bool(before), len(rows) > PAGE
        entries = rows[:PAGE]
    return AuditPage(
        entries,
        older=entries[-1].pk if entries and more_older else 0,
        newer=entries[0].pk if entries and more_newer else 0,
    )


def altered(entries: list[AuditEntry]) -> list[AuditEntry]:
    """Return those of the entries that do not follow from the entry recorded before them."""
    before = {entry.previous_hash for entry in entries} - {GENESIS}
    known = set(AuditEntry.objects.filter(hash__in=before).values_list("hash", flat=True))
    return [
        entry
        for entry in entries
        if entry.hash != fingerprint(entry)
        or (entry.previous_hash != GENESIS and entry.previous_hash not in known)
    ]


def last_verification() -> JobRun | None:
    """Return the newest run of the job that verifies the whole chain."""
    return JobRun.objects.filter(job="catalog.verify_audit").first()
