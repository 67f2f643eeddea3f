"""Somebody at the portal whose browser only sends forms: for fault tests and benchmarks."""

from __future__ import annotations

import re
import uuid
from typing import Self

import httpx

from tests.stack import wait_for

SERVICE = "production-news-api"


class Person:
    """A signed-in person. Paths are the portal's, such as `/deployments/4/`."""

    def __init__(self, portal: str, name: str, password: str) -> None:
        self.portal = portal
        self.client = httpx.Client(base_url=portal, timeout=30, follow_redirects=True)
        self.post("/accounts/login/", "/accounts/login/", login=name, password=password)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def page(self, path: str) -> str:
        answer = self.client.get(path)
        answer.raise_for_status()
        return answer.text

    def post(self, path: str, form_on: str, **values: str) -> httpx.Response:
        """Send a form as the page `form_on` has it."""
        return self.send(path, self.token(form_on), **values)

    def token(self, form_on: str) -> str:
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.page(form_on))
        assert found, f"no form on {form_on}"
        return found[1]

    def send(self, path: str, token: str, **values: str) -> httpx.Response:
        answer = self.client.post(
            path, data=values | {"csrfmiddlewaretoken": token}, headers={"referer": self.portal}
        )
        answer.raise_for_status()
        return answer

    def ask_for(self, tag: str, preset: str, **numbers: str) -> str:
        """Ask for a release and wait for its preflight; return its page's path."""
        form = f"/deployments/new/?service={SERVICE}"
        images = wait_for(lambda: self._images(form), seconds=300, what="images from ECR")
        answer = self.post(
            "/deployments/new/",
            form,
            service=SERVICE,
            key=str(uuid.uuid4()),
            image=images[tag],
            preset=preset,
            reason="A release by a machine",
            **numbers,
        )
        path = answer.url.path
        wait_for(lambda: self.shows(path, "Start: release"), seconds=300, what="the preflight")
        return path

    def release(self, tag: str, preset: str, **numbers: str) -> str:
        """Ask for a release and start it; return its page's path."""
        path = self.ask_for(tag, preset, **numbers)
        self.start(path)
        return path

    def start(self, path: str) -> None:
        self.post(f"{path}start/", path)

    def roll_back(self, path: str) -> None:
        self.post(f"{path}roll-back/", path, reason="By a machine")

    def approve(self, path: str) -> None:
        found = re.search(r"/deployments/decisions/[^/]+/approve/", self.page(path))
        assert found, "nothing to approve"
        self.post(found[0], path, reason="By a machine")

    def shows(self, path: str, words: str) -> bool:
        return words in self.page(path)

    def sees(self, path: str, words: str, *, seconds: float = 300) -> None:
        """Wait until the page shows the words; the portal may be down meanwhile."""
        wait_for(
            lambda: self._shows_if_up(path, words), seconds=seconds, what=f"“{words}”", every=0.4
        )

    def _shows_if_up(self, path: str, words: str) -> bool:
        try:
            return self.shows(path, words)
        except httpx.HTTPError:
            return False

    def _images(self, form: str) -> dict[str, str]:
        found = re.findall(r'value="(sha256:\w+)"[^>]*>\s*([\w.-]+)', self.page(form))
        return {tag: digest for digest, tag in found}
