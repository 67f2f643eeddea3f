"""Browser tests need Chromium: found where it usually is, missed loudly where it is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from launcher.paths import CHECKOUT
from tests import chromium

BROWSER_TEST = """
import pytest

@pytest.mark.browser
def test_a_page():
    pass
"""


@pytest.fixture
def browser_test(tmp_path: Path) -> Path:
    path = tmp_path / "test_page.py"
    path.write_text(BROWSER_TEST)
    return path


def test_a_named_browser_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    browser = tmp_path / "my-chromium"
    browser.touch(mode=0o755)
    monkeypatch.setenv("CHROMIUM", str(browser))

    assert chromium.find_chromium() == browser


def test_a_named_browser_that_is_not_there_is_not_replaced(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CHROMIUM", "/no/such/browser")

    assert chromium.find_chromium() is None


def test_a_browser_on_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    browser = tmp_path / "chromium"
    browser.touch(mode=0o755)
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert chromium.find_chromium() == browser


def test_a_missing_browser_is_reported_loudly(browser_test: Path):
    done = _pytest(browser_test, CHROMIUM="/no/such/browser")

    assert "BROWSER TESTS NOT RUN: no Chromium found (set CHROMIUM)" in done.stdout
    assert "1 deselected" in done.stdout


def test_a_missing_browser_can_be_made_a_failure(browser_test: Path):
    done = _pytest(browser_test, CHROMIUM="/no/such/browser", REQUIRE_BROWSER="1")

    assert done.returncode not in {0, 5}
    assert "BROWSER TESTS NOT RUN" in done.stdout + done.stderr


def test_workers_report_a_missing_browser_as_well(browser_test: Path):
    done = _pytest(browser_test, "-n", "1", CHROMIUM="/no/such/browser")

    assert "BROWSER TESTS NOT RUN: no Chromium found (set CHROMIUM)" in done.stdout


def _pytest(path: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if "XDIST" not in name}
    inherited.pop("REQUIRE_BROWSER", None)
    return subprocess.run(
        # tests/launcher is named so that tests/conftest.py is at work; -k selects the one test.
        [sys.executable, "-m", "pytest", *arguments, "-p", "tests.conftest", str(path)],
        check=False,
        cwd=CHECKOUT,
        env=inherited | env,
        capture_output=True,
        text=True,
    )
