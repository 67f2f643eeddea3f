"""Every operation the sandbox serves: ours with their notes, then what moto adds."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.honesty import REFUSED, Note, notes_of

OURS, MOTO = "ours", "moto"

Row = dict[str, Any]
Owners = Mapping[str, Sequence[object]]


class MotoUnread(Exception):
    """The process that reads moto's source failed; the message is what it said."""


def ours(owners: Owners, known: Mapping[str, Sequence[str]]) -> dict[str, list[Row]]:
    """The operations our own objects answer or refuse; `known` are all of each service."""
    return {
        service: list(_rows(known[service], found)) for service, found in sorted(owners.items())
    }


def _rows(names: Sequence[str], owners: Sequence[object]) -> Iterator[Row]:
    from botocore import xform_name

    for name in names:
        methods = (getattr(owner, xform_name(name), None) for owner in owners)
        method = next((found for found in methods if found is not None), None)
        if method is not None:
            notes = notes_of(method)
            yield _row(name, REFUSED if REFUSED in {n.kind for n in notes} else OURS, notes)


def _row(name: str, by: str, notes: Sequence[Note]) -> Row:
    return {"operation": name, "by": by, "notes": [vars(note) for note in notes]}


class Catalogue:
    """All services. What they have and what moto implements is read when somebody asks first."""

    def __init__(self, owners: Owners) -> None:
        self._owners = owners
        self._read: dict[str, dict[str, list[str]]] = {}
        self._turn = asyncio.Lock()

    async def services(self) -> list[dict[str, Any]]:
        """`[{"service", "notes", "operations": [{"operation", "by", "notes"}]}]`.

        Raises MotoUnread.
        """
        async with self._turn:
            if not self._read:
                self._read = await _read(self._owners)
        own, by_moto = ours(self._owners, self._read["known"]), self._read["moto"]
        return [
            {
                "service": service,
                "notes": self._notes(service),
                "operations": _merged(own.get(service, []), by_moto.get(service, [])),
            }
            for service in sorted(own.keys() | by_moto.keys())
        ]

    def _notes(self, service: str) -> list[dict[str, str]]:
        owners = self._owners.get(service, ())
        return [vars(note) for owner in owners for note in notes_of(owner)]


def _merged(own: Sequence[Row], by_moto: Sequence[str]) -> list[Row]:
    answered = {row["operation"] for row in own}
    rest = [_row(name, MOTO, ()) for name in by_moto if name not in answered]
    return sorted([*own, *rest], key=lambda row: str(row["operation"]))


async def _read(services: Iterable[str]) -> dict[str, dict[str, list[str]]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sandbox.overview.moto", *services),
        cwd=Path(__file__).resolve().parents[2],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    written, said = await process.communicate()
    if process.returncode:
        raise MotoUnread(said.decode(errors="replace").strip()[-500:])
    found: dict[str, dict[str, list[str]]] = json.loads(written)
    return found
