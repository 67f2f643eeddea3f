from __future__ import annotations

from django.conf import settings

from deployments.models import Status
from portal import states_page


def test_the_page_of_states_is_current():
    written = (settings.BASE_DIR / "docs" / "states.md").read_text()

    assert written == states_page.render(), "Run: python manage.py document_states"


def test_every_status_of_a_release_is_on_the_page():
    page = states_page.render()

    assert all(f"| `{status}` | {status.label} |" in page for status in Status)
