"""The banners of every page: what a person must know whatever they came for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import caches
from django.utils import timezone

from catalog.models import Account
from incidents.models import Incident

STALE_AFTER = timedelta(minutes=3)
CACHE_SECONDS = 5
_KEY = "shell-notices"


@dataclass(frozen=True)
class Banner:
    """One line above the page. `tone` is one of `ui.states.TONES`."""

    tone: str
    icon: str
    label: str
    text: str
    since: datetime | None = None
    url: str = ""
    link: str = ""


@dataclass(frozen=True)
class AccountState:
    name: str
    account_id: str
    region: str
    read_at: datetime | None


@dataclass(frozen=True)
class Notices:
    banners: list[Banner]
    accounts: list[AccountState]


def current() -> Notices:
    """Return the banners, at most five seconds old."""
    cached: Notices | None = caches["local"].get(_KEY)
    if cached is None:
        cached = _read(timezone.now())
        caches["local"].set(_KEY, cached, CACHE_SECONDS)
    return cached


def _read(at: datetime) -> Notices:
    accounts = list(Account.objects.order_by("account_id"))
    banners = [_major(incident) for incident in Incident.objects.open().major()[:5]]
    banners += [banner for account in accounts for banner in _of(account, at)]
    states = [AccountState(a.name, a.account_id, a.region, a.read_at) for a in accounts]
    return Notices(banners, states)


def _major(incident: Incident) -> Banner:
    return Banner(
        "danger",
        "alarm",
        incident.severity,
        incident.title,
        incident.impact_started_at,
        incident.get_absolute_url(),
        f"Open {incident.reference}",
    )


def _of(account: Account, at: datetime) -> list[Banner]:
    banners = []
    if account.read_error:
        banners.append(
            Banner("danger", "alarm", "AWS cannot be read.", account.read_error, account.read_at)
        )
    elif account.read_at and at - account.read_at > STALE_AFTER:
        text = f"{account.name} was last read"
        banners.append(Banner("warning", "clock", "Stale data.", text, account.read_at))
    if account.notice:
        banners.append(Banner("neutral", "clock", "", account.notice))
    return banners
