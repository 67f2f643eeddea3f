import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

application = get_wsgi_application()

# After Django is set up: the models behind it must be ready.
from deployments.ringing import warm_up  # noqa: E402

warm_up()
