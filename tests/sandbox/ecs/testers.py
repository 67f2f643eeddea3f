"""The test listener of news-production, as whoever tests a release finds it."""

from __future__ import annotations

import json

NAME, PORT = "news-production", 8080


def seen_by_testers(account):
    """The version that answers on the test listener."""
    listeners = account.control("GET", "status")["load_balancers"][NAME]["listeners"]
    (url,) = [each["url"] for each in listeners if each["port"] == PORT]
    return json.loads(account.get(port=int(url.rsplit(":", 1)[-1]))[2])["version"]
