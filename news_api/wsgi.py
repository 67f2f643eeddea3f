"""The WSGI application that gunicorn serves."""

from __future__ import annotations

import gc
import importlib
import os

from django.core.wsgi import get_wsgi_application

# Almost everything created while importing stays: collecting garbage meanwhile is a tenth of the
# start-up time spent for nothing, and going through it again later even more so.
gc.disable()
# Set, not defaulted: the News API may be started from a process of the portal.
os.environ["DJANGO_SETTINGS_MODULE"] = "news_api.settings"
application = get_wsgi_application()
# Django would import the URLs during the first request; pay for it before the first health check.
importlib.import_module("news_api.urls")
gc.freeze()
gc.enable()
