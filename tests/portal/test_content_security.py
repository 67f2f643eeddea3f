"""Every page keeps the Content-Security-Policy: nothing inline without this answer's nonce."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from django.http import HttpResponse
from django.test import Client

from tests import make

pytestmark = pytest.mark.django_db

PAGES = [
    "/",
    "/search/",
    "/services/",
    "/audit/",
    "/people/",
    "/deployments/",
    "/deployments/approvals/",
    "/incidents/",
    "/incidents/new/",
    "/costs/",
    "/services/production-news-api/",
    "/accounts/password/change/",
    "/accounts/logout/",
    "/nowhere/",
]


class Inline(HTMLParser):
    """Collects what the policy would block."""

    def __init__(self) -> None:
        super().__init__()
        self.blocked: list[str] = []
        self.nonces: set[str] = set()
        self._style_is_open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.blocked += [name for name in given if name == "style" or name.startswith("on")]
        if tag == "script" and given.get("type") not in {"application/json", "text/plain"}:
            self._note_script(given)
        if tag == "a" and str(given.get("href")).startswith("javascript:"):
            self.blocked.append("javascript:")
        self._style_is_open = tag == "style"

    def _note_script(self, given: dict[str, str | None]) -> None:
        if given.get("nonce"):
            self.nonces.add(str(given["nonce"]))
        elif not given.get("src"):
            self.blocked.append("script")

    def handle_data(self, data: str) -> None:
        if self._style_is_open and data.strip():
            self.blocked.append("style element")


def inline_of(answer: HttpResponse) -> Inline:
    page = Inline()
    page.feed(answer.content.decode())
    return page


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_nothing_inline(client: Client, path: str) -> None:
    make.service()
    client.force_login(make.admin(password="long enough 12"))

    answer = client.get(path)

    page = inline_of(answer)
    policy = answer["Content-Security-Policy"]
    assert page.blocked == []
    assert page.nonces
    assert all(f"'nonce-{nonce}'" in policy for nonce in page.nonces)
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


def test_the_sign_in_page_has_nothing_inline(client: Client) -> None:
    page = inline_of(client.get("/accounts/login/"))

    assert page.blocked == []


def test_each_answer_has_a_nonce_of_its_own(client: Client) -> None:
    first, second = client.get("/accounts/login/"), client.get("/accounts/login/")

    assert inline_of(first).nonces.isdisjoint(inline_of(second).nonces)


def test_pages_stay_out_of_frames_and_shared_caches(client: Client) -> None:
    client.force_login(make.user())

    answer = client.get("/services/")

    assert answer["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cache-Control"] == "private, no-cache"
    assert "camera=()" in answer["Permissions-Policy"]


@pytest.mark.parametrize(
    ("theme", "rendered"), [("dark", True), ("light", True), ("pink", False), ('"><script>', False)]
)
def test_only_the_two_themes_are_rendered_from_the_cookie(
    client: Client, theme: str, rendered: bool
) -> None:
    client.cookies["theme"] = theme

    page = client.get("/accounts/login/").content.decode()

    assert ("data-bs-theme" in page) is rendered


def test_names_from_aws_are_escaped(client: Client) -> None:
    make.service(title="<script>alert(1)</script>", owner='"><img src=x onerror=alert(1)>')
    client.force_login(make.user())

    answer = client.get("/services/")

    assert inline_of(answer).blocked == []
    assert b"&lt;script&gt;" in answer.content
