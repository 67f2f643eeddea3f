"""The settings refuse to start unsafely. Each case is a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SECRET = "k" * 25 + "Q7-rx_92" * 4
PRODUCTION = {
    "QUARTERDECK_ENV": "production",
    "SECRET_KEY": SECRET,
    "ALLOWED_HOSTS": "portal.example.com",
    "DEBUG": "1",
}


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "DATABASE_URL", "REDIS_URL", "HOME")}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def setting(name: str, **environment: str) -> str:
    code = f"from django.conf import settings; print(repr(settings.{name}))"
    return manage("shell", "--no-imports", "-c", code, **environment).stdout.strip()


def test_production_passes_every_check_of_django() -> None:
    answer = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)

    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("secret", ["", "short", "development-only-" + "0" * 50])
def test_production_refuses_a_missing_short_or_default_secret(secret: str) -> None:
    answer = manage("check", **PRODUCTION | {"SECRET_KEY": secret})

    assert answer.returncode != 0
    assert "needs SECRET_KEY" in answer.stderr


def test_production_is_never_in_debug_mode() -> None:
    assert setting("DEBUG", **PRODUCTION) == "False"


def test_a_secret_may_come_from_a_file(tmp_path: object) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    environment = {k: v for k, v in PRODUCTION.items() if k != "SECRET_KEY"}

    assert setting("SECRET_KEY", **environment, SECRET_KEY_FILE=str(file)) == repr(SECRET)
