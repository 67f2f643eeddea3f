"""The shell as a person meets it: keyboard, theme, phone, without JavaScript, without network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from tests import make
from tests.chromium import LONGEST

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"width": 390, "height": 844}
PAGES = [
    "/",
    "/services/",
    "/services/production-news-api/",
    "/deployments/",
    "/deployments/approvals/",
    "/incidents/",
    "/incidents/new/",
    "/costs/",
    "/audit/",
    "/people/",
]


@pytest.fixture
def front_end(settings: Any) -> None:
    """Serve Tabler and Plotly too, as `python -m launcher install` has collected them."""
    vendor = settings.STATIC_ROOT / "vendor"
    assert vendor.is_dir(), "run `python -m launcher install` first"
    settings.STATICFILES_DIRS = [("vendor", vendor)]


@pytest.fixture
def signed_in(browser: Browser, front_end: None, live_server: Any) -> Iterator[Any]:
    """Return a function that opens a browser window of an admin."""
    make.service()
    client = Client()
    client.force_login(make.admin("ada"))
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value}
    opened: list[BrowserContext] = []

    def window(**options: Any) -> Page:
        context = browser.new_context(base_url=live_server.url, **options)
        context.set_default_timeout(LONGEST)
        context.add_cookies([cookie | {"url": live_server.url}])
        opened.append(context)
        return context.new_page()

    yield window
    for context in opened:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_breaks_the_security_policy_or_a_script(signed_in: Any, scheme: str) -> None:
    page = signed_in(color_scheme=scheme)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))

    for path in PAGES:
        page.goto(path)
        page.wait_for_load_state("networkidle")

    assert complaints == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_a_phone(signed_in: Any, path: str) -> None:
    page = signed_in(viewport=PHONE)

    page.goto(path)

    assert page.evaluate(TOO_WIDE) == []


def test_without_javascript_a_phone_still_navigates(signed_in: Any) -> None:
    page = signed_in(viewport=PHONE, java_script_enabled=False)
    page.goto("/services/")

    page.get_by_text("Menu").click()
    page.get_by_role("navigation").get_by_role("link", name="Audit").click()

    expect(page.get_by_role("heading", name="Audit", level=1)).to_be_visible()
    expect(page.locator("[data-theme-toggle]")).to_be_hidden()


def test_the_theme_is_kept_and_rendered_by_the_server(signed_in: Any) -> None:
    page = signed_in(color_scheme="light")
    page.goto("/services/")

    page.get_by_role("button", name="Light or dark").click()
    answer = page.goto("/audit/")

    assert 'data-bs-theme="dark"' in answer.text()
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"


def test_the_palette_opens_by_key_and_leads_to_a_service(signed_in: Any) -> None:
    page = signed_in()
    page.goto("/audit/")

    page.keyboard.press("Control+k")
    page.keyboard.insert_text("news api")
    expect(page.get_by_role("dialog").get_by_role("link")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    page.wait_for_url("**/services/production-news-api/")


def test_enter_in_the_palette_opens_the_first_result(signed_in: Any) -> None:
    page = signed_in()
    page.goto("/audit/")

    page.keyboard.press("/")
    page.keyboard.insert_text("people")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("services")
    expect(page.get_by_role("dialog").get_by_role("link")).to_have_count(1)
    page.keyboard.press("Enter")

    page.wait_for_url("**/services/")


def test_enter_before_the_results_are_there_opens_none_of_the_old_ones(signed_in: Any) -> None:
    page = signed_in()
    page.goto("/audit/")
    page.keyboard.press("/")
    page.keyboard.insert_text("costs")
    expect(page.get_by_role("dialog").get_by_role("link")).to_have_count(1)
    page.route("**/search/?q=services", answer_only_pages)

    page.keyboard.press("Control+a")
    page.keyboard.insert_text("services")
    page.keyboard.press("Enter")

    page.wait_for_url("**/search/?q=services")


def answer_only_pages(route: Route) -> None:
    """Leave the requests of live parts without an answer."""
    if "hx-request" not in route.request.headers:
        route.continue_()


def test_keys_lead_to_sections_but_not_while_typing(signed_in: Any) -> None:
    page = signed_in()
    page.clock.install()
    page.goto("/audit/")
    page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))

    page.get_by_label("Who").press_sequentially("gs")
    assert page.url.endswith("/audit/")
    page.get_by_label("Who").blur()
    page.keyboard.press("g")
    page.keyboard.press("s")

    page.wait_for_url("**/services/")


def test_a_letter_alone_leads_nowhere_on_a_page_just_opened(signed_in: Any) -> None:
    page = signed_in()
    page.add_init_script(PRESS_S_WHEN_LOADED)

    page.goto("/audit/")
    page.keyboard.press("?")

    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    assert page.url.endswith("/audit/")


def test_a_question_mark_lists_the_keys(signed_in: Any) -> None:
    page = signed_in()
    page.goto("/services/")

    page.keyboard.press("?")

    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_the_first_tab_skips_to_the_content(signed_in: Any) -> None:
    page = signed_in()
    page.goto("/services/")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "main"


SEND_TWICE = "button => { button.click(); button.click(); button.form.requestSubmit(); }"


def form_that_is_never_answered(page: Page) -> tuple[Locator, list[str]]:
    """The button of a form, and the requests it sent; the page stays as it is."""
    page.goto("/people/")
    sent: list[str] = []

    def answer(route: Route) -> None:
        sent.append(route.request.url)
        route.fulfill(status=204)

    page.route("**/people/add/", answer)
    page.get_by_label("Name").fill("otto")
    return page.get_by_role("button", name="Add person"), sent


def test_a_form_sent_twice_is_sent_once(signed_in: Any) -> None:
    page = signed_in()
    button, sent = form_that_is_never_answered(page)

    with page.expect_request("**/people/add/"):
        button.evaluate(SEND_TWICE)

    expect(button).to_have_attribute("aria-busy", "true")
    assert len(sent) == 1


def test_a_live_part_that_is_read_frees_no_form_on_its_way(signed_in: Any) -> None:
    page = signed_in()
    button, sent = form_that_is_never_answered(page)
    with page.expect_request("**/people/add/"):
        button.evaluate(SEND_TWICE)

    page.evaluate("htmx.ajax('GET', '/people/', {source: '#main', swap: 'none'})")
    button.evaluate(SEND_TWICE)

    expect(button).to_have_attribute("aria-busy", "true")
    assert len(sent) == 1


def poll(page: Page, path: str = "/services/") -> None:
    """Have the live part ask now, as its timer would."""
    page.evaluate(
        "path => { htmx.ajax('GET', path, {source: '#services', target: '#services'}); }", path
    )


def test_a_live_part_keeps_the_focus(signed_in: Any) -> None:
    page = signed_in()
    page.goto("/services/")

    link = page.get_by_role("link", name="News API")
    link.focus()
    link.evaluate("link => { link.dataset.old = 'yes'; }")
    poll(page)

    expect(page.locator("[data-old]")).to_have_count(0)
    expect(link).to_be_focused()


def test_a_live_part_keeps_what_is_written_and_unfolded(signed_in: Any) -> None:
    page = signed_in()
    page.goto("/services/")
    part = page.locator("#services")
    page.route("**/live/", lambda route: route.fulfill(body=LIVE))
    poll(page, "/live/")

    page.get_by_label("Reason").fill("half a sentence")
    page.get_by_text("More").click()
    part.evaluate("part => { part.dataset.old = 'yes'; }")
    poll(page, "/live/")

    expect(page.locator("[data-old]")).to_have_count(0)
    expect(page.get_by_label("Reason")).to_have_value("half a sentence")
    expect(page.get_by_label("Other")).to_have_value("")
    expect(page.get_by_text("Unfolded")).to_be_visible()


def test_a_lost_connection_is_said_and_forgotten_when_it_is_back(signed_in: Any) -> None:
    page = signed_in()
    page.goto("/services/")
    toasts = page.locator("#toasts")

    page.context.set_offline(True)
    poll(page)
    expect(toasts).to_contain_text("Connection lost. This page shows data as of")
    expect(page.locator("#services table")).to_be_visible()
    page.context.set_offline(False)
    poll(page)

    expect(toasts).to_be_empty()


def test_a_refused_live_part_says_why_and_leaves_the_page(signed_in: Any) -> None:
    page = signed_in()
    page.goto("/services/")

    poll(page, "/nowhere/")

    expect(page.locator("#toasts")).to_contain_text("The address is wrong")
    expect(page.locator("#services table")).to_be_visible()


def test_an_answer_of_a_proxy_is_said_in_our_words(signed_in: Any) -> None:
    page = signed_in()
    page.goto("/services/")
    page.route("**/elsewhere/", lambda route: route.fulfill(status=502, body="<h1>nginx</h1>"))

    poll(page, "/elsewhere/")

    expect(page.locator("#toasts")).to_contain_text("The server answered 502")


def test_times_are_told_in_the_viewers_zone_beside_utc(signed_in: Any) -> None:
    page = signed_in(timezone_id="Asia/Kolkata", locale="en-GB")
    page.goto("/audit/")

    shown = page.locator("tbody time").first.inner_text()

    assert "UTC (" in shown
    assert "GMT+5:30" in shown or "IST" in shown


def test_a_viewer_in_utc_sees_no_second_time(signed_in: Any) -> None:
    page = signed_in(timezone_id="UTC")
    page.goto("/audit/")

    assert page.locator("tbody time").first.inner_text().endswith("UTC")


def test_text_has_enough_contrast_in_both_themes(signed_in: Any) -> None:
    for scheme in ("light", "dark"):
        page = signed_in(color_scheme=scheme)
        page.goto("/services/")

        ratios = json.loads(page.evaluate(CONTRAST))

        assert min(ratios.values()) >= 4.5, (scheme, ratios)


PRESS_S_WHEN_LOADED = """addEventListener("DOMContentLoaded", () => {
  document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "s", bubbles: true}));
})"""

LIVE = """<section id="services" hx-swap="outerHTML">
  <label>Reason <input name="reason"></label> <label>Other <input name="other"></label>
  <details><summary>More</summary>Unfolded</details>
</section>"""

# Paints each pair of custom properties, reads the colours back, and applies WCAG's formula.
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const probe = document.body.appendChild(document.createElement("i"));
  const light = (name) => {
    probe.style.color = `var(${name})`;
    canvas.fillStyle = getComputedStyle(probe).color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)
      .map((part) => part / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [dark, bright] = [light(a), light(b)].sort((x, y) => x - y);
    return (bright + 0.05) / (dark + 0.05);
  };
  const texts = ["--ink", "--dim", "--accent", "--ok", "--info", "--warning", "--danger",
    "--latency", "--traffic", "--errors", "--saturation", "--fleet-blue", "--fleet-green"];
  const pairs = [["--bar-ink", "--bar"], ["--bar-dim", "--bar"], ["--on-accent", "--accent"],
    ["--danger", "--danger-ground"], ["--warning", "--warning-ground"],
    ["--info", "--info-ground"], ["--ok", "--ok-ground"],
    ...texts.flatMap((text) => [[text, "--surface"], [text, "--ground"]])];
  return JSON.stringify(Object.fromEntries(pairs.map(([a, b]) => [`${a} ${b}`, ratio(a, b)])));
}"""

# Elements that stick out of the window although nothing around them scrolls.
TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
    .map((element) => element.outerHTML.slice(0, 120))"""
