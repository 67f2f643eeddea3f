"""Django settings of the News API, all from the environment. See README.md for the variables."""

from __future__ import annotations

import os
from typing import Any

from news_api import environment, logs


def _natural(name: str, default: int) -> int:
    return environment.natural(name, os.environ.get(name, str(default)))


def _database() -> dict[str, Any]:
    default = "postgresql:///news?host=/var/run/postgresql"
    parts = environment.database(os.environ.get("NEWS_DATABASE_URL", default))
    options = {
        **parts.pop("OPTIONS"),
        "connect_timeout": 3,
        "application_name": "news-api",
        # A query that takes this long is a fault; give the thread back to the next request.
        "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS}",
    }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
        **parts,
    }


STATEMENT_TIMEOUT_MS = _natural("NEWS_STATEMENT_TIMEOUT_MS", 5000)

SECRET_KEY = os.environ.get("NEWS_SECRET_KEY", "")
DEBUG = False
# Answers never contain the Host header, and load balancer health checks come by address.
ALLOWED_HOSTS = os.environ.get("NEWS_ALLOWED_HOSTS", "*").split(",")
INSTALLED_APPS = ["news_api"]
MIDDLEWARE = [
    "news_api.middleware.observe",
    "django.middleware.http.ConditionalGetMiddleware",
]
ROOT_URLCONF = "news_api.urls"
WSGI_APPLICATION = "news_api.wsgi.application"
APPEND_SLASH = False
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": _database()}
LOGGING = logs.configuration(os.environ.get("NEWS_LOG_LEVEL", "INFO").upper())

APP_VERSION = os.environ.get("APP_VERSION", "dev")
NEWS_ENVIRONMENT = os.environ.get("NEWS_ENVIRONMENT", "local")
NEWS_REDIS_URL = os.environ.get("NEWS_REDIS_URL", "")
NEWS_SOURCES = os.environ.get("NEWS_SOURCES", "[]")
NEWS_KEEP_DAYS = _natural("NEWS_KEEP_DAYS", 90)
NEWSAPI_KEY = os.environ.get("NEWSAPI_KEY", "")
GUARDIAN_KEY = os.environ.get("GUARDIAN_KEY", "")

NEWS_REQUIRE_API_KEY = environment.boolean(
    "NEWS_REQUIRE_API_KEY", os.environ.get("NEWS_REQUIRE_API_KEY", "0")
)
# Requests per minute; 0 switches the limit off.
NEWS_ANONYMOUS_PER_MINUTE = _natural("NEWS_ANONYMOUS_PER_MINUTE", 120)
NEWS_KEY_PER_MINUTE = _natural("NEWS_KEY_PER_MINUTE", 1200)
# How many proxies in front append to X-Forwarded-For; one load balancer is one.
NEWS_PROXY_HOPS = _natural("NEWS_PROXY_HOPS", 1)
# A page is fresh for so long, then served stale while one request renews it.
NEWS_CACHE_FRESH_SECONDS = _natural("NEWS_CACHE_FRESH_SECONDS", 10)
NEWS_CACHE_STALE_SECONDS = _natural("NEWS_CACHE_STALE_SECONDS", 60)
