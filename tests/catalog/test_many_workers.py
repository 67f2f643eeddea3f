"""Workers beside each other, and one that dies in the middle of a call."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.db import connection

from catalog import work
from catalog.models import Effect, EffectState
from catalog.work import Progress
from tests.catalog.claims import Calls, let_lease_run_out, once, submit


@pytest.mark.django_db(transaction=True)
def test_twenty_workers_at_once_make_one_call(handle):
    submit()
    call = Calls()
    barrier = threading.Barrier(20)

    def handler(lease):
        once(lease, call)
        return Progress(wait=timedelta(hours=1))

    handle(handler)

    def worker(number):
        try:
            barrier.wait(200)
            work.run_due(owner=f"worker {number}")
        finally:
            connection.close()

    threads = [threading.Thread(target=worker, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert call.count == 1
    assert Effect.objects.get().state == EffectState.DONE


DYING_WORKER = """
import os, signal
import django
django.setup()
from catalog import work
from catalog.work import Progress

@work.handles("test")
def handler(lease):
    def call():
        os.kill(os.getpid(), signal.SIGKILL)
    work.effect(lease, key="call", request={}, call=call, find=lambda intent: None)
    return Progress(done=True)

work.run_due(owner="dying")
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_of_a_call_loses_and_repeats_nothing(handle):
    submit()
    settings = connection.settings_dict
    url = f"postgresql:///{settings['NAME']}?host={settings['HOST']}&user={settings['USER']}"
    environment = os.environ | {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    died = subprocess.run([sys.executable, "-c", DYING_WORKER], env=environment, check=False)
    call = Calls()
    handle(lambda lease: once(lease, call, find=lambda intent: {"arn": "found"}) and Progress())
    let_lease_run_out()

    work.run_due(owner="heir", limit=1)

    assert died.returncode == -9
    assert call.count == 0
    assert Effect.objects.get().answer == {"arn": "found"}
