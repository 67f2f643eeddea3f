"""Celery is a doorbell: tasks carry ids, rows carry the work."""

import os

from celery import Celery
from celery.signals import worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
def ring_everything(**_: object) -> None:
    """Have every periodic job looked at once: a fresh installation shows data within seconds.

    Jobs claim their slot or their lease, so one bell more is harmless.
    """
    for entry in app.conf.beat_schedule.values():
        app.send_task(entry["task"])
