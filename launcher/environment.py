"""The environment that `bin/up` gives to the portal and to the sandbox (docs/architecture.md)."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from launcher.paths import CHECKOUT, Home
from launcher.postgres import Postgres
from launcher.valkey import Valkey

REGION = "us-east-1"
SECONDS_PER_MINUTE = "6"
EVERY_ADDRESS = {"0.0.0.0", "::"}  # noqa: S104 - compared with, not bound to
# What would lead boto3 away from the sandbox, to somebody's real account.
REAL_AWS = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN")


def given(name: str) -> bool:
    """Return whether a setting, or the file that holds it, is in the environment."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def wants_sandbox() -> bool:
    """Return whether AWS is to be the sandbox: neither real nor an endpoint of the user's."""
    return os.environ.get("QUARTERDECK_AWS") != "real" and not given("AWS_ENDPOINT_URL")


def needed_postgres(home: Home, *, sandbox: bool) -> Postgres | None:
    """Return the embedded PostgreSQL when a database has no address in the environment."""
    wanted = ["DATABASE_URL", *(["NEWS_DATABASE_URL"] if sandbox else [])]
    return None if all(given(name) for name in wanted) else Postgres(home)


def needed_valkey(home: Home, *, sandbox: bool) -> Valkey | None:
    """Return the embedded Valkey when a broker or cache has no address in the environment."""
    wanted = ["REDIS_URL", *(["NEWS_REDIS_URL"] if sandbox else [])]
    return None if all(given(name) for name in wanted) else Valkey(home)


def base_environment(home: Home) -> dict[str, str]:
    """Return this process's environment with the defaults that every child shares.

    A setting that is there and empty is as good as none: shells and `.env` files write it so.
    """
    scripts = str(Path(sys.executable).parent)
    defaults = {
        "QUARTERDECK_ENV": "development",
        "QUARTERDECK_HOME": str(home.root),
        "QUARTERDECK_SERVICES": str(CHECKOUT / "services.yaml"),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }
    if not given("SECRET_KEY"):
        defaults["SECRET_KEY"] = home.secret_key()
    path = os.pathsep.join([scripts, os.environ.get("PATH", os.defpath)])
    told = {name: value for name, value in os.environ.items() if value or name not in defaults}
    return defaults | told | {"PATH": path, "PYTHONUNBUFFERED": "1"}


def portal_environment(
    home: Home, stores: Mapping[str, str], host: str, sandbox_port: int | None
) -> dict[str, str]:
    """Return the environment of web, worker, beat and of the portal's commands."""
    env = base_environment(home) | missing(stores)
    env.setdefault("ALLOWED_HOSTS", ",".join(allowed_hosts(host)))
    if sandbox_port is None:
        return env
    return {name: value for name, value in env.items() if name not in REAL_AWS} | {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{sandbox_port}",
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def sandbox_environment(home: Home, stores: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the sandbox: its workload's stores, and no key of the portal."""
    env = base_environment(home) | missing(stores)
    env.setdefault("SANDBOX_SECONDS_PER_MINUTE", SECONDS_PER_MINUTE)
    portal_only = ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", *REAL_AWS)
    return {name: value for name, value in env.items() if name not in portal_only}


def missing(stores: Mapping[str, str]) -> dict[str, str]:
    """Return the embedded addresses of what the user did not name."""
    return {name: url for name, url in stores.items() if not given(name)}


def allowed_hosts(host: str) -> list[str]:
    """Return the host names under which the portal may be asked for."""
    names = ["localhost", "127.0.0.1", "[::1]"]
    own = socket.gethostname() if host in EVERY_ADDRESS else host
    bracketed = f"[{own}]" if ":" in own else own
    return names if bracketed in names else [*names, bracketed]
