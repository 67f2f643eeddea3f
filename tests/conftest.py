"""Real PostgreSQL and Valkey for the tests, and an environment that cannot reach the real AWS.

The first process (pytest itself, or xdist's controller) starts the servers; xdist's workers
inherit their addresses. `DATABASE_URL` or `REDIS_URL` in the environment are used as they are.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django
import pytest
from django.core.cache import caches
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, expect, sync_playwright

from launcher.embedded import Embedded
from launcher.paths import Home
from tests.append_only import append_only_tables_can_be_flushed
from tests.chromium import LONGEST, find_chromium

__all__ = ["append_only_tables_can_be_flushed"]

WORKER = os.environ.get("PYTEST_XDIST_WORKER")
EMBEDDED_VALKEY = "QUARTERDECK_TEST_VALKEY"  # tells xdist's workers whose server REDIS_URL is
BROWSER_MISSING = "BROWSER TESTS NOT RUN: no Chromium found (set CHROMIUM)"

SAFE_ENVIRONMENT = {
    "QUARTERDECK_ENV": "test",
    # Port 9 is "discard": nothing listens, so an AWS call that a test forgot to stub fails at once.
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
# Without these, Chromium looks for hosts of its own that a closed network refuses.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
BROWSER_NOT_RUN = pytest.StashKey[bool]()
NOT_INHERITED = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "SECRET_KEY", "QUARTERDECK_AWS")

# A property holds or not, however long a busy machine takes over an example of it.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def _prepare_environment() -> Embedded | None:
    """Point everything at throw-away servers. Settings read this when they are imported."""
    os.environ.update(SAFE_ENVIRONMENT)
    for name in NOT_INHERITED:
        os.environ.pop(name, None)
    if WORKER:
        _own_valkey_databases(int(WORKER.removeprefix("gw")))
        return None
    home = Path(tempfile.mkdtemp(prefix="quarterdeck-tests-"))
    os.environ["QUARTERDECK_HOME"] = str(home)
    embedded = Embedded(Home(home), durable=False)
    if embedded.valkey:
        os.environ[EMBEDDED_VALKEY] = str(embedded.valkey.socket)
    os.environ.update(embedded.environment)
    return embedded


def _own_valkey_databases(number: int) -> None:
    """Give an xdist worker two databases of its own on the embedded Valkey."""
    if socket := os.environ.get(EMBEDDED_VALKEY):
        first = 2 * (number + 1)
        os.environ["REDIS_URL"] = f"unix://{socket}?db={first}"
        os.environ["NEWS_REDIS_URL"] = f"unix://{socket}?db={first + 1}"


# At import, because conftest files further down and pytest-django import the settings next.
EMBEDDED = _prepare_environment()


def _set_up_django() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    django.setup()
    # pytest-django would make xdist's workers read the settings before this file gave them their
    # own Valkey databases.
    del os.environ["DJANGO_SETTINGS_MODULE"]


_set_up_django()


def pytest_configure(config: pytest.Config) -> None:
    if EMBEDDED and not config.option.collectonly:
        EMBEDDED.start()


def pytest_unconfigure() -> None:
    if EMBEDDED:
        EMBEDDED.stop()
        EMBEDDED.remove()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without Chromium, leave the browser tests out; `REQUIRE_BROWSER=1` makes that an error."""
    browser = [item for item in items if item.get_closest_marker("browser")]
    if not browser or find_chromium():
        return
    if os.environ.get("REQUIRE_BROWSER") == "1":
        raise pytest.UsageError(BROWSER_MISSING)
    config.hook.pytest_deselected(items=browser)
    items[:] = [item for item in items if item not in browser]
    _note_missing_browser(config)


def _note_missing_browser(config: pytest.Config) -> None:
    config.stash[BROWSER_NOT_RUN] = True
    if WORKER:
        config.workeroutput["browser_not_run"] = True


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if config.stash.get(BROWSER_NOT_RUN, False):
        terminalreporter.section(BROWSER_MISSING, sep="!", red=True, bold=True)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Hear from one of xdist's workers, which alone collect the tests."""
    if getattr(node, "workeroutput", {}).get("browser_not_run"):
        node.config.stash[BROWSER_NOT_RUN] = True


@pytest.fixture(autouse=True)
def _local_cache_is_empty() -> None:
    """It keeps a page's banners for five seconds, longer than the test that caused them."""
    caches["local"].clear()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a module's tests.

    No longer than that: Playwright keeps an event loop in this thread, and the tests after it may
    want one of their own.
    """
    # In a thread with an event loop; only the tests themselves use the ORM.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=LONGEST)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(find_chromium()), args=QUIET, timeout=LONGEST
        )
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
