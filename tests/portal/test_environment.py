from __future__ import annotations

from pathlib import Path

import pytest

from portal.environment import BadSetting, celery_broker, database, listed, secret


def test_a_database_is_named_by_a_url() -> None:
    settings = database("postgresql://portal:p%40ss%2Fword@db.internal:5433/quarter%20deck")

    assert settings == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "quarter deck",
        "USER": "portal",
        "PASSWORD": "p@ss/word",
        "HOST": "db.internal",
        "PORT": "5433",
        "OPTIONS": {},
    }


def test_a_database_may_be_behind_a_unix_socket() -> None:
    settings = database("postgresql:///quarterdeck?host=/run/pg&user=me&sslmode=disable")

    assert (settings["NAME"], settings["USER"]) == ("quarterdeck", "me")
    assert (settings["HOST"], settings["PORT"]) == ("/run/pg", "")
    assert settings["OPTIONS"] == {"sslmode": "disable"}


@pytest.mark.parametrize(
    "url", ["mysql://host/name", "postgresql://host", "postgresql://host/", ""]
)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(BadSetting, match="DATABASE_URL must look like"):
        database(url)


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("rediss://cache:6379/1", "rediss://cache:6379/1"),
        ("unix:///run/valkey.sock?db=3", "redis+socket:///run/valkey.sock?virtual_host=3"),
        ("unix:///run/valkey.sock", "redis+socket:///run/valkey.sock?virtual_host=0"),
    ],
)
def test_a_broker_is_spelled_as_celery_wants_it(url: str, broker: str) -> None:
    assert celery_broker(url) == broker


def test_a_secret_comes_from_its_file_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("from the file\n")
    monkeypatch.setenv("TOKEN", "from the environment")
    without_file = secret("TOKEN")

    monkeypatch.setenv("TOKEN_FILE", str(file))

    assert (without_file, secret("TOKEN")) == ("from the environment", "from the file")
    assert secret("NOT_SET_ANYWHERE", "default") == "default"


def test_a_list_has_no_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTS", " a.example, ,b.example,")

    assert listed("HOSTS") == ["a.example", "b.example"]
    assert listed("NOT_SET_ANYWHERE") == []
