"""Where one checkout keeps its state, and where its sockets live."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
# A Unix socket's path may have at most 107 bytes, so sockets never live below a checkout.
SOCKETS_PARENT = Path("/tmp")  # noqa: S108 - private directory inside, owner checked below


class UnsafeDirectory(Exception):
    """A directory that must be ours belongs to somebody else, or is a link."""


@dataclass(frozen=True)
class Home:
    """The state directory of one checkout, usually `.quarterdeck/`."""

    root: Path

    @classmethod
    def from_environment(cls) -> Home:
        return cls(Path(os.environ.get("QUARTERDECK_HOME") or CHECKOUT / ".quarterdeck").resolve())

    @property
    def sockets(self) -> Path:
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:8]
        return SOCKETS_PARENT / f"qd-{digest}-{os.geteuid()}"

    def create(self) -> None:
        """Make the state and socket directories. Raises UnsafeDirectory."""
        self.root.mkdir(parents=True, exist_ok=True)
        # As root, PostgreSQL runs as nobody and must be able to walk through, not to look around.
        walk_through = 0o711 if os.geteuid() == 0 else 0o700
        if self.root.stat().st_uid == os.geteuid():
            self.root.chmod(walk_through)
        own_directory(self.sockets, walk_through)

    def remove_sockets(self) -> None:
        """Remove the socket directory, and sockets that killed servers left there.

        Only for who holds the home's lock and has ended the servers.
        """
        shutil.rmtree(self.sockets, ignore_errors=True)

    def secret_key(self) -> str:
        """Return Django's secret of this checkout, made once and readable by its owner only."""
        path = self.root / "secret_key"
        if not path.exists():
            draft = path.with_suffix(f".{os.getpid()}")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(64))
            draft.replace(path)
        return path.read_text()


def own_directory(path: Path, mode: int) -> None:
    """Make a directory that belongs to this user alone. Raises UnsafeDirectory."""
    path.mkdir(mode=mode, exist_ok=True)
    seen = path.lstat()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.geteuid():
        raise UnsafeDirectory(f"{path} belongs to somebody else. Remove it, then try again.")
    path.chmod(mode)
