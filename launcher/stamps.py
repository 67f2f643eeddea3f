"""Do slow work once for each state of its inputs, and again when it was interrupted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


class Stamp:
    """A file that holds a digest of the inputs of work that was *finished*."""

    def __init__(self, path: Path, inputs: Iterable[Path]) -> None:
        self.path = path
        self.digest = digest(inputs)

    def is_current(self) -> bool:
        return self.path.is_file() and self.path.read_text() == self.digest

    def remove(self) -> None:
        """Say that the work has begun; until `write`, it counts as not done."""
        self.path.unlink(missing_ok=True)

    def write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".new")
        draft.write_text(self.digest)
        draft.replace(self.path)


def digest(inputs: Iterable[Path]) -> str:
    """Return a digest of files by relative name and content. Directories are walked."""
    total = hashlib.sha256()
    for given in inputs:
        for path in sorted(given.rglob("*")) if given.is_dir() else [given]:
            if path.is_file() and path.suffix != ".pyc":  # made by running, not by editing
                total.update(f"{path.relative_to(given.parent)}\0".encode())
                total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
