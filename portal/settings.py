"""Settings come from the environment; every default suits `bin/up` (docs/architecture.md)."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from csp.constants import NONCE, NONE, SELF

from portal.environment import BadSetting, celery_broker, database, listed, secret

BASE_DIR = Path(__file__).resolve().parent.parent
ENVIRONMENT = os.environ.get("QUARTERDECK_ENV", "development")
PRODUCTION = ENVIRONMENT == "production"
HOME = Path(os.environ.get("QUARTERDECK_HOME", BASE_DIR / ".quarterdeck"))

DEFAULT_SECRET_KEY = "development-only-" + "0" * 50
SECRET_KEY = secret("SECRET_KEY", DEFAULT_SECRET_KEY)
if PRODUCTION and (SECRET_KEY == DEFAULT_SECRET_KEY or len(SECRET_KEY) < 50):
    raise BadSetting(
        "QUARTERDECK_ENV=production needs SECRET_KEY (or SECRET_KEY_FILE) with 50 random characters"
    )
DEBUG = os.environ.get("DEBUG") == "1" and not PRODUCTION
ALLOWED_HOSTS = listed("ALLOWED_HOSTS", "" if PRODUCTION else "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = listed("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "portal",
    "incidents",
    "deployments",
    "monitoring",
    "costs",
    "catalog",
    "ui",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "csp",
    "django_htmx",
    "pgtrigger",
    "template_partials",
]
MIDDLEWARE = [
    "ui.middleware.RequestContextMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "ui.middleware.PrivatePagesMiddleware",
    "ui.middleware.StorableTextMiddleware",
    "ui.middleware.DatabaseDownMiddleware",
]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "portal.context.shell",
            ],
            # Django 6.0 has these tags built in; drop this line and the app on upgrade.
            "builtins": ["template_partials.templatetags.partials"],
        },
    }
]

DATABASES = {
    "default": database(
        secret("DATABASE_URL", "postgresql:///quarterdeck?host=/var/run/postgresql")
    )
    | {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}
}
DATABASES["default"]["OPTIONS"] = {
    "connect_timeout": "3",
    # Only for `catalog.prepared`; Django's own cursors prepare nothing.
    "prepare_threshold": 5,
    # No statement of a page may hold a worker for longer than a person would wait.
    "options": "-c statement_timeout=15000 -c lock_timeout=5000 "
    "-c idle_in_transaction_session_timeout=60000",
} | DATABASES["default"]["OPTIONS"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Rate limits of sign-in live in PostgreSQL: a dead Redis must not lock operators out.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"},
    "local": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}

AUTH_USER_MODEL = "catalog.User"
AUTHENTICATION_BACKENDS = ["portal.accounts.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "portal.accounts.ClosedSignup"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
# Per address first. The limit per name is wide, so that nobody can lock a colleague out cheaply.
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,30/300s/key"}
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

SESSION_ENGINE = "portal.sessions"
SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "portal.problems.csrf_failure"
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static"
STATICFILES_DIRS = [("vendor", HOME / "vendor")] if (HOME / "vendor").is_dir() else []
STORAGES = {
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if ENVIRONMENT == "test"
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    }
}
# Tests serve from the sources, without collecting.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = ENVIRONMENT == "test"

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False

SERVICES_FILE = Path(os.environ.get("QUARTERDECK_SERVICES", BASE_DIR / "services.yaml"))

REDIS_URL = secret("REDIS_URL", "redis://127.0.0.1:6379/0")
# Without a token, /metrics answers only who asks on loopback without a proxy between.
METRICS_TOKEN = secret("METRICS_TOKEN")

# Whoever asked for a release may not approve its promotion.
DEPLOYMENTS_FOUR_EYES = os.environ.get("DEPLOYMENTS_FOUR_EYES", "1" if PRODUCTION else "0") == "1"

# Cost Explorer charges USD 0.01 for each request.
COSTS_CHARGED_REQUESTS_PER_DAY = int(os.environ.get("COSTS_CHARGED_REQUESTS_PER_DAY", "12"))

CELERY_BROKER_URL = celery_broker(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "collect"
CELERY_TASK_ROUTES = {
    "catalog.tasks.run_due_operations": {"queue": "operations"},
    "deployments.tasks.*": {"queue": "operations"},
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2}
# Measured in reference/security.md C2: without these a dead or silent Redis hangs the caller.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
}
# Seconds between rings. A job decides by itself whether it is due (catalog.schedule), so ringing
# often costs a query and makes the first reading after a start an early one.
CELERY_BEAT_SCHEDULE = {
    "run due operations": {"task": "catalog.tasks.run_due_operations", "schedule": 2.0},
    "discover services": {"task": "catalog.tasks.discover_services", "schedule": 5.0},
    "collect metrics": {"task": "monitoring.tasks.collect_metrics", "schedule": 5.0},
    "compact metrics": {"task": "monitoring.tasks.compact_metrics", "schedule": 60.0},
    "watch service deployments": {"task": "deployments.tasks.watch_services", "schedule": 5.0},
    "verify audit": {"task": "portal.tasks.verify_audit", "schedule": 60.0},
    "clear sessions": {"task": "portal.tasks.clear_sessions", "schedule": 600.0},
    "ingest costs": {"task": "costs.tasks.ingest_costs", "schedule": 20.0},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "ui.logs.JsonFormatter"}},
    "filters": {"context": {"()": "ui.logs.RequestContextFilter"}},
    "handlers": {
        "stdout": {
            "class": "logging.StreamHandler",
            "formatter": "json",
            "filters": ["context"],
            "stream": "ext://sys.stdout",
        }
    },
    "root": {"handlers": ["stdout"], "level": os.environ.get("LOG_LEVEL", "INFO")},
    "loggers": {
        "botocore": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        # The access log has a line for every request; django.request would repeat the failed ones.
        "django.request": {"level": "ERROR"},
        "celery.beat": {"level": "WARNING"},
    },
}

if ENVIRONMENT == "test":
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    CACHES["default"] = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    CELERY_BEAT_SCHEDULE = {}
    # A busy machine is no fault of what is tested.
    DATABASES["default"]["OPTIONS"] |= {
        "connect_timeout": "200",
        "options": "-c statement_timeout=200000 -c lock_timeout=200000",
    }
