"""The embedded PostgreSQL and Valkey, as real servers in throw-away homes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from launcher.embedded import DidNotStart, Embedded
from launcher.lock import AlreadyRunning, Lock
from launcher.paths import CHECKOUT, Home, UnsafeDirectory
from launcher.postgres import PostgresTrouble
from launcher.postgres_binaries import find_binaries, reachable
from launcher.processes import Identity
from tests.launcher.supervised import LIMIT, environment, eventually
from tests.processes import gone


@pytest.fixture
def embedded(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Embedded]:
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name)
    servers = Embedded(home)
    yield servers
    servers.stop()
    servers.remove()


def _ask(servers: Embedded, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(servers.environment["DATABASE_URL"]) as connection:
        answer = connection.execute(statement)
        return answer.fetchall() if answer.description else []


def _valkey(servers: Embedded) -> redis.Redis:
    return redis.Redis.from_url(servers.environment["REDIS_URL"])


def test_tests_run_on_postgresql_16():
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        (version,) = connection.execute("SHOW server_version_num").fetchone()

    assert int(version) // 10000 == 16


def test_both_databases_and_the_broker_answer(embedded: Embedded):
    embedded.start()

    names = {name for (name,) in _ask(embedded, "SELECT datname FROM pg_database")}

    assert {"quarterdeck", "news"} <= names
    assert _valkey(embedded).ping()


def test_a_durable_server_confirms_only_what_survives(embedded: Embedded):
    embedded.start()

    settings = [
        _ask(embedded, f"SHOW {name}") for name in ("fsync", "synchronous_commit", "timezone")
    ]

    assert settings == [[("on",)], [("on",)], [("UTC",)]]


def test_committed_rows_and_broker_keys_survive_kill_9(embedded: Embedded):
    embedded.start()
    _ask(embedded, "CREATE TABLE approval (id int)")
    _ask(embedded, "INSERT INTO approval SELECT generate_series(1, 5000)")

    for running in embedded._running:
        os.killpg(running.process.pid, signal.SIGKILL)
        running.process.wait()
    embedded._running.clear()
    embedded.start()

    assert _ask(embedded, "SELECT count(*) FROM approval") == [(5000,)]


def test_a_server_that_outlived_its_launcher_is_replaced(embedded: Embedded):
    embedded.start()
    postmaster = psutil.Process(embedded._running[0].process.pid)
    forgotten = list(embedded._running)
    embedded._running.clear()
    (embedded.home.root / "children.json").unlink()

    embedded.start()

    assert gone([postmaster])
    assert _ask(embedded, "SELECT 1") == [(1,)]
    for running in forgotten:
        running.process.kill()
        running.process.wait()


def test_a_stale_pid_file_that_names_a_foreign_process_is_ignored(embedded: Embedded):
    embedded.start()
    embedded.stop()
    stale = embedded.postgres.data / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n{embedded.postgres.data}\n1\n5432\n\n\n\nready\n")
    stale.chmod(0o666)

    embedded.start()

    assert _ask(embedded, "SELECT 1") == [(1,)]


def test_an_interrupted_initdb_is_begun_again(embedded: Embedded):
    embedded.home.create()
    broken = embedded.home.root / "postgres.new"
    broken.mkdir()
    (broken / "PG_VERSION").write_text("16\n")

    embedded.start()

    assert _ask(embedded, "SELECT 1") == [(1,)]
    assert not broken.exists()


def test_data_of_another_major_version_is_refused_in_words(embedded: Embedded):
    embedded.start()
    embedded.stop()
    (embedded.postgres.data / "PG_VERSION").write_text("15\n")

    with pytest.raises(PostgresTrouble, match="made by PostgreSQL 15, but this is PostgreSQL 16"):
        embedded.start()


def test_a_server_that_cannot_start_says_why(embedded: Embedded):
    embedded.start()
    embedded.stop()
    (embedded.postgres.data / "postgresql.conf").write_text("no_such_setting = 1\n")

    with pytest.raises(DidNotStart, match="no_such_setting"):
        embedded.start()


def test_nothing_is_left_after_an_orderly_stop(embedded: Embedded):
    embedded.start()
    servers = [psutil.Process(running.process.pid) for running in embedded._running]

    embedded.stop()

    assert gone(servers)
    assert not embedded.home.sockets.exists()


def test_nothing_is_left_of_a_server_that_had_to_be_killed(embedded: Embedded):
    embedded.start()
    for running in embedded._running:
        os.killpg(running.process.pid, signal.SIGKILL)

    embedded.stop()

    assert not embedded.home.sockets.exists()


def test_addresses_in_the_environment_are_used_as_they_are(
    home: Home, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example/quarterdeck")
    monkeypatch.setenv("REDIS_URL", "redis://cache.example/0")

    with Embedded(home) as servers:
        assert servers.environment == {}


def test_only_the_starting_user_may_connect(embedded: Embedded):
    if os.geteuid() != 0:  # root is needed to try as somebody else; everybody else is refused
        assert embedded.home.root.stat().st_mode & 0o077 == 0
        return
    embedded.start()

    nobody = Identity.of("nobody")

    attempt = subprocess.run(
        [find_binaries(nobody) / "psql", embedded.environment["DATABASE_URL"], "-c", "SELECT 1"],
        check=False,
        capture_output=True,
        text=True,
        **nobody.popen_arguments(),
    )

    assert attempt.returncode == 2
    assert "Peer authentication failed" in attempt.stderr


def test_an_ordinary_user_has_servers_as_well(home: Home):
    user = Identity.of("nobody")
    if os.geteuid() == 0:
        os.chown(home.root, user.uid, user.gid)
    drop = user.popen_arguments() if os.geteuid() == 0 else {}

    done = subprocess.run(
        [python_for(user), "-m", "launcher", "run", "--", "sh", "-c", "echo $DATABASE_URL; exit 3"],
        check=False,
        cwd=CHECKOUT,
        env=environment(
            QUARTERDECK_HOME=str(home.root), PYTHONPATH=str(Path(psycopg.__file__).parents[1])
        ),
        capture_output=True,
        text=True,
        **drop,
    )

    assert done.returncode == 3, done.stderr
    assert done.stdout.startswith("postgresql:///quarterdeck?host=/tmp/qd-")


def test_a_command_runs_between_the_servers_and_its_exit_code_is_passed_on(home: Home):
    done = _run(home, sys.executable, "-c", "import os; os.kill(os.getpid(), 15)")

    assert done.returncode == 128 + signal.SIGTERM


def test_a_missing_command_is_named(home: Home):
    done = _run(home, "no-such-command")

    assert done.returncode == 127
    assert "no-such-command: not found" in done.stdout


def test_a_command_joins_the_servers_that_run_already(home: Home):
    hold = "import sys; print('up', flush=True); sys.stdin.read()"
    command = [sys.executable, "-m", "launcher", "run", "--", sys.executable, "-c", hold]
    ours = environment(QUARTERDECK_HOME=str(home.root))
    first = subprocess.Popen(
        command, cwd=CHECKOUT, env=ours, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert first.stdout.readline() == b"up\n"

    second = _run(
        home,
        *(sys.executable, "-c"),
        "import os, psycopg; print(psycopg.connect(os.environ['DATABASE_URL']).info.dbname)",
    )

    first.communicate(timeout=LIMIT)
    assert second.stdout == "quarterdeck\n"


def test_kill_9_of_the_launcher_leaves_no_server(home: Home):
    first = subprocess.Popen(
        [sys.executable, "-m", "launcher", "run", "--", "sleep", "600"],
        cwd=CHECKOUT,
        env=environment(QUARTERDECK_HOME=str(home.root)),
    )
    launcher = psutil.Process(first.pid)
    eventually(lambda: _named(launcher, "sleep"), "the command runs")
    started = launcher.children(recursive=True)

    first.kill()
    first.wait()
    if sys.platform != "linux":  # only Linux ties a child to its parent; elsewhere the next start
        _run(home, "true")

    assert len(started) > 3
    eventually(lambda: gone(started), "both servers and the command end")


def test_a_home_has_one_launcher(home: Home):
    home.create()

    with Lock(home) as lock:
        lock.announce("http://127.0.0.1:8000/")
        with pytest.raises(AlreadyRunning, match=r"already running at http://127\.0\.0\.1:8000/"):
            Lock(home).__enter__()

    with Lock(home):
        pass


def test_somebody_elses_socket_directory_is_refused(home: Home):
    home.sockets.symlink_to("/")

    try:
        with pytest.raises(UnsafeDirectory, match="belongs to somebody else"):
            home.create()
    finally:
        home.sockets.unlink()


def test_sockets_fit_into_the_kernels_limit(home: Home):
    longest = home.sockets / "pg" / ".s.PGSQL.5432.lock"

    assert len(os.fsencode(longest)) <= 107


def test_the_secret_key_is_made_once_and_private(home: Home):
    home.create()

    first = home.secret_key()

    assert len(first) >= 64
    assert home.secret_key() == first
    assert (home.root / "secret_key").stat().st_mode & 0o777 == 0o600


def _run(home: Home, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "launcher", "run", "--", *command],
        check=False,
        cwd=CHECKOUT,
        env=environment(QUARTERDECK_HOME=str(home.root)),
        capture_output=True,
        text=True,
    )


def _named(parent: psutil.Process, name: str) -> bool:
    return any(_name(child) == name for child in parent.children(recursive=True))


def _name(process: psutil.Process) -> str:
    """The name of a process that may have ended since it was listed."""
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


def python_for(user: Identity) -> str:
    """Return a Python that this user can run; root's own may lie in a private directory."""
    places = [sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"]
    return next(place for place in places if reachable(Path(place), user))
