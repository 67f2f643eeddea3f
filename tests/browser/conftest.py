"""Real Chromium against the whole stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.chromium import LONGEST
from tests.stack import Stack

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}

SignIn = Callable[..., Page]


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    running = Stack()
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
def sign_in(stack: Stack, browser: Browser) -> Iterator[SignIn]:
    """Return a function that opens a window for a role, signed in.

    A page error or a violation of the Content-Security-Policy fails the test.
    """
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def open_as(role: str, *, javascript: bool = True, phone: bool = False) -> Page:
        context = browser.new_context(
            base_url=stack.url,
            viewport=PHONE if phone else DESKTOP,
            java_script_enabled=javascript,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(LONGEST)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "console",
            lambda said: problems.append(said.text) if "Content Security" in said.text else None,
        )
        user = stack.users[role]
        page.goto("/")
        page.get_by_label("Username").fill(user.username)
        page.get_by_label("Password").fill(user.password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(stack.url + "/")
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert problems == []
