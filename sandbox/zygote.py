"""A fork server for tasks: `python -m sandbox.zygote FD`, started by `sandbox.forking`.

A News API task spends half a second and forty megabytes on importing Django, psycopg and pydantic.
This process imports them once; a task is a fork of it, which shares those pages and starts in a
fraction of the time. What a task then does is the same as in a process of its own: a new session,
its own environment, `python -m MODULE ARGUMENTS`.

Protocol on the socket FD (SOCK_SEQPACKET, JSON): {"module", "arguments", "environment"} with the
descriptors of the log and, optionally, of the listening socket ({fd} in an argument stands for
it) is answered by {"pid"}; {"pid", "status"} tells the end of a task, as waitpid gave it.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from sandbox.processes import die_with_parent, hoard_no_memory, return_memory

MAX_REQUEST = 128 * 1024
# Nothing that reads the task's environment or Django's settings when it is imported.
PRELOADED = (
    "concurrent.futures.thread",
    "django.contrib.postgres.search",
    "django.core.handlers.wsgi",
    "django.core.management",
    "django.core.paginator",
    "django.core.wsgi",
    "django.db.backends.postgresql.base",
    "django.db.migrations.executor",
    "django.forms",
    "django.template",
    "django.urls",
    "feedparser",
    "gunicorn.app.wsgiapp",
    "gunicorn.workers.gthread",
    "logging.config",
    "psycopg_pool",
    "pydantic.type_adapter",
    "unittest.main",
    "xml.dom.minidom",
    "sqlparse",
    "xml.sax.expatreader",
)


def preload() -> None:
    """Import what every task will need."""
    from django.conf import settings
    from django.utils.functional import empty

    for name in PRELOADED:
        importlib.import_module(name)
    # ninja reads its own few settings when it is imported; every task brings Django's itself.
    settings.configure()
    importlib.import_module("ninja.security")
    settings._wrapped = empty


def serve(channel: socket.socket) -> None:
    """Fork a task for every request until the other side hangs up."""
    wakeup, signalled = socket.socketpair()
    signalled.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(signalled.fileno(), warn_on_full_buffer=False)
    while True:
        ready, _, _ = select.select([channel, wakeup], [], [])
        if wakeup in ready:
            wakeup.recv(4096)
            _tell_ended(channel)
        if channel in ready and not _fork(channel, (wakeup, signalled)):
            return


def _tell_ended(channel: socket.socket) -> None:
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            channel.send(json.dumps({"pid": ended[0], "status": ended[1]}).encode())


def _fork(channel: socket.socket, own: Sequence[socket.socket]) -> bool:
    """Start the task one request asks for; False when the other side is gone."""
    body, descriptors, _, _ = socket.recv_fds(channel, MAX_REQUEST, 2)
    if not body:
        return False
    parent = os.getpid()
    leads, leading = os.pipe()
    pid = os.fork()
    if pid == 0:
        for inherited in (channel, *own):
            inherited.close()
        os.setsid()
        os.close(leads)
        os.close(leading)
        _become(json.loads(body), descriptors, parent)
    # Told of before it leads its process group, it could not be signalled.
    os.close(leading)
    os.read(leads, 1)
    os.close(leads)
    channel.send(json.dumps({"pid": pid}).encode())
    for descriptor in descriptors:
        os.close(descriptor)
    return True


def _become(request: dict[str, Any], descriptors: Sequence[int], parent: int) -> None:
    """Be the task of fork server `parent`; never returns."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        die_with_parent()
        # A parent that died before that call tells nobody any more.
        if os.getppid() != parent:
            os._exit(1)
        log, *listener = descriptors
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        os.environ.clear()
        os.environ.update(request["environment"])
        _run(request["module"], request["arguments"], listener)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # whatever ends it must not unwind into the fork server
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _run(module: str, arguments: Sequence[str], listener: Sequence[int]) -> None:
    for descriptor in listener:
        os.set_inheritable(descriptor, True)
    number = str(listener[0]) if listener else "none"
    sys.argv = [module, *(argument.replace("{fd}", number) for argument in arguments)]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def main() -> None:
    """Import what tasks share, then serve."""
    die_with_parent()
    hoard_no_memory()
    channel = socket.socket(fileno=int(sys.argv[1]))
    # The end of the sandbox is the end of the socket; an interrupt is for the sandbox to handle.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    preload()
    gc.collect()
    # The collector writes into every object it looks at, which would unshare their pages.
    gc.freeze()
    return_memory()
    serve(channel)


if __name__ == "__main__":
    main()
