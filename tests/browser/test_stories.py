"""The portal's four jobs, done in a browser against the whole stack as `bin/up` starts it."""

from __future__ import annotations

import re
import threading
import urllib.request
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.stack import Stack, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.stack, pytest.mark.timeout(900)]

SERVICE = "production-news-api"
# A canary stands still until a person decides, a bake takes a deployment minute (6 s).
LONG = 300_000


class Load:
    """Clients that keep asking the load balancer, and what they were answered."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.versions: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(4)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        while not self._over.wait(0.02):
            try:
                with urllib.request.urlopen(self.url, timeout=300) as answer:
                    answer.read()
                    self.versions[answer.headers["X-App-Version"]] += 1
            except OSError as error:
                self.failed[str(error)] += 1


@pytest.fixture
def board_is_filled(stack: Stack, sign_in) -> None:
    page = sign_in("viewer")

    def filled() -> bool:
        page.goto(f"/services/{SERVICE}/")
        return page.get_by_role("heading", name="Latency").count() > 0

    wait_for(filled, seconds=300, every=2, what="the board to have data", log=stack.log)


def ask_for_release(page: Page, tag: str, *, preset: str = "Canary") -> None:
    """Fill in the form as an operator would, and start the release when its checks passed."""

    def offered() -> bool:
        page.goto(f"/deployments/new/?service={SERVICE}")
        return page.get_by_role("radio", name=re.compile(f"^{re.escape(tag)}")).count() > 0

    wait_for(offered, seconds=300, every=2, what=f"image {tag} to be offered")
    page.get_by_role("radio", name=re.compile(f"^{re.escape(tag)}")).check()
    page.get_by_role("radio", name=re.compile(f"^{preset}")).check()
    page.get_by_text("Adjust").click()
    if preset == "Canary":
        page.get_by_label("Canary bake (minutes)").fill("0")
    page.get_by_label("Bake after all traffic moved (minutes)").fill("1")
    page.get_by_label("Why").fill("A story told by the browser tests")
    page.get_by_role("button", name="Check this release").click()
    page.get_by_role("button", name=re.compile("^Start: release")).click(timeout=LONG)


def approve(page: Page) -> None:
    page.locator("summary", has_text=re.compile("^(Promote|Shift)")).click(timeout=LONG)
    if page.get_by_label("Why go on all the same?").count():
        page.get_by_label("Why go on all the same?").fill("A test has no time for more requests")
    page.locator("details[open] button[type=submit], details[open] button").first.click()


def versions_now(stack: Stack) -> Counter[str]:
    with Load(stack.load_balancer + "/v1/sources") as load:
        wait_for(lambda: load.versions.total() >= 100, seconds=300, what="100 answers")
    return load.versions


def test_golden_signals_are_drawn_and_told(stack, sign_in, board_is_filled):
    page = sign_in("viewer")

    page.goto(f"/services/{SERVICE}/")

    for name in ("Latency", "Traffic", "Errors", "Saturation"):
        panel = page.locator("figure", has=page.get_by_role("heading", name=name, exact=True))
        expect(panel.locator(".js-plotly-plot")).to_be_visible()
        expect(panel.locator(".scatterlayer .trace").first).to_be_attached()
    page.get_by_role("link", name="Show data").first.click()
    expect(page.locator("table tbody tr").first).to_be_visible()


def test_a_good_canary_is_promoted_without_a_failed_request(stack, sign_in):
    operator, approver = sign_in("operator"), sign_in("approver")

    with Load(stack.load_balancer + "/v1/sources") as load:
        ask_for_release(operator, "1.4.1")
        approver.goto(operator.url)
        expect(approver.locator("summary", has_text="Promote")).to_be_visible(timeout=LONG)
        wait_for(lambda: load.versions["1.4.1"] > 10, seconds=300, what="canary traffic")
        share = load.versions["1.4.1"] / load.versions.total()
        approve(approver)
        expect(operator.locator("#progress")).to_contain_text("Succeeded", timeout=LONG)

    assert 0 < share < 0.5
    assert not load.failed
    assert set(versions_now(stack)) == {"1.4.1"}


def test_a_bad_canary_is_rolled_back_and_is_red(stack, sign_in):
    operator = sign_in("operator")
    before = set(versions_now(stack))

    with Load(stack.load_balancer + "/healthz") as load:
        ask_for_release(operator, "1.4.2-errors")
        expect(operator.locator("summary", has_text="Roll back to")).to_be_visible(timeout=LONG)
        wait_for(lambda: load.versions["1.4.2-errors"] > 0, seconds=300, what="canary traffic")
        operator.locator("summary", has_text="Roll back to").click()
        operator.get_by_role("button", name="Roll back now").click()
        expect(operator.locator("#progress")).to_contain_text("Rolled back", timeout=LONG)

    assert set(versions_now(stack)) == before
    assert not {error for error in load.failed if "500" not in error}


def test_an_incident_is_filed_and_resolved(stack, sign_in):
    page = sign_in("operator")
    page.goto(f"/incidents/new/?service={SERVICE}")
    page.get_by_label("What do users notice?").fill("News API answers <b>slowly</b>")
    page.get_by_role("radio", name=re.compile("^SEV2")).check()

    page.get_by_role("button", name="File incident").click()
    expect(page.locator("h1")).to_contain_text("News API answers <b>slowly</b>")
    update = page.locator("form", has=page.get_by_role("button", name="Post update"))
    update.locator("textarea").fill("Looking at the board.")
    update.get_by_role("button").click()
    expect(page.get_by_role("main")).to_contain_text("Looking at the board.")
    expect(sign_in("viewer").locator(".banners, body").first).to_contain_text("SEV2")
    page.get_by_role("button", name=re.compile("resolve", re.IGNORECASE)).click()

    expect(page.locator("#status")).to_contain_text(re.compile("resolved", re.IGNORECASE))


def test_the_month_is_reviewed_by_service_and_usage_type(stack, sign_in):
    page = sign_in("viewer")
    # On the first of a month nothing of it has arrived.
    last_month = datetime.now(UTC).replace(day=1) - timedelta(days=1)

    def billed() -> bool:
        page.goto(f"/costs/{last_month:%Y-%m}/")
        return page.get_by_role("table").count() > 0

    wait_for(billed, seconds=300, every=2, what="the first reading of Cost Explorer", log=stack.log)
    expect(page.locator("body")).to_contain_text("Amazon Relational Database Service")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    page.get_by_role("link", name="Amazon Relational Database Service").first.click()

    expect(page.locator("body")).to_contain_text("Multi-AZUsage")
