"""What the shell of every page shows: navigation, banners, theme, accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from portal import navigation, notices

THEMES = ("light", "dark")


@dataclass(frozen=True)
class Shell:
    """`theme` is empty when the browser's own preference decides."""

    theme: str
    sections: list[navigation.Section]
    banners: list[notices.Banner]
    accounts: list[notices.AccountState]


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return `shell`, without navigation and banners for who is not signed in, and `csp_nonce`."""
    # django-htmx and Django 6 look for the nonce under this name.
    return {"shell": _shell(request), "csp_nonce": getattr(request, "csp_nonce", "")}


def _shell(request: HttpRequest) -> Shell:
    theme = request.COOKIES.get("theme", "")
    theme = theme if theme in THEMES else ""
    user = getattr(request, "user", None)
    if not user or not user.is_authenticated:
        return Shell(theme, [], [], [])
    state = notices.current()
    return Shell(theme, navigation.sections(request.path), state.banners, state.accounts)
