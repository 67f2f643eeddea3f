from __future__ import annotations

import pytest

from news_api import environment
from news_api.environment import BadConfiguration
from news_api.resp import Address, parse_address


def test_a_database_url_with_a_server_is_understood() -> None:
    url = "postgresql://news:p%40ss@db.internal:5433/news?sslmode=require"

    assert environment.database(url) == {
        "NAME": "news",
        "USER": "news",
        "PASSWORD": "p@ss",
        "HOST": "db.internal",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "require"},
    }


def test_a_database_url_with_a_socket_directory_is_understood() -> None:
    parts = environment.database("postgresql:///news?host=/run/pg&user=postgres")

    assert (parts["NAME"], parts["HOST"], parts["USER"]) == ("news", "/run/pg", "postgres")
    assert parts["OPTIONS"] == {}


@pytest.mark.parametrize("url", ["", "mysql://localhost/news", "postgresql://localhost"])
def test_anything_else_is_refused_as_a_database(url: str) -> None:
    with pytest.raises(BadConfiguration, match="postgresql://"):
        environment.database(url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://cache.internal", Address(host="cache.internal")),
        ("redis://:pw@cache:6380/2", Address(host="cache", port=6380, database=2, password="pw")),
        ("redis://cache?db=3", Address(host="cache", database=3)),
        ("unix:///run/valkey.sock?db=1", Address(path="/run/valkey.sock", database=1)),
        ("redis://cache/2?socket_timeout=1.5", Address(host="cache", database=2, timeout=1.5)),
        ("rediss://app:pw@cache", Address(host="cache", username="app", password="pw", tls=True)),
    ],
)
def test_the_forms_of_a_cache_url_are_understood(url: str, expected: Address) -> None:
    assert parse_address(url) == expected


@pytest.mark.parametrize(("text", "said"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_a_switch_is_on_or_off(text: str, said: bool) -> None:
    assert environment.boolean("NEWS_REQUIRE_API_KEY", text) is said


def test_a_switch_that_is_neither_names_the_variable() -> None:
    with pytest.raises(BadConfiguration, match="NEWS_REQUIRE_API_KEY"):
        environment.boolean("NEWS_REQUIRE_API_KEY", "maybe")


@pytest.mark.parametrize("text", ["", "-1", "1.5", "²", "ten"])
def test_a_number_that_is_none_names_the_variable(text: str) -> None:
    with pytest.raises(BadConfiguration, match="NEWS_KEEP_DAYS"):
        environment.natural("NEWS_KEEP_DAYS", text)
