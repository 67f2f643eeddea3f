"""Homes and supervisors that are cleaned up whatever a test did to them."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from launcher.paths import Home
from tests.launcher.supervised import LIMIT, Supervised


@pytest.fixture
def home() -> Iterator[Home]:
    with _throw_away_home() as made:
        yield made


@pytest.fixture
def other_home() -> Iterator[Home]:
    with _throw_away_home() as made:
        yield made


@contextlib.contextmanager
def _throw_away_home() -> Iterator[Home]:
    """A home outside pytest's private directories, so that PostgreSQL's user can reach it."""
    root = Path(tempfile.mkdtemp(prefix="quarterdeck-launcher-"))
    yield Home(root)
    shutil.rmtree(Home(root).sockets, ignore_errors=True)
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[..., Supervised]]:
    """Start a supervisor over scripts by name: `supervise(web="exec sleep 60")`."""
    started: list[Supervised] = []

    def start(*, grace: float = LIMIT, **scripts: str) -> Supervised:
        started.append(Supervised(tmp_path, scripts, grace))
        return started[-1]

    yield start
    for supervised in started:
        supervised.end()
