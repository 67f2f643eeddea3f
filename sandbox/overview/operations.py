"""Every operation the sandbox serves: ours with their notes, then what moto adds."""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.honesty import Note, notes_of

OURS, MOTO = "ours", "moto"

Row = dict[str, Any]
Owners = Mapping[str, Sequence[object]]


class MotoUnread(Exception):
    """The process that reads moto's source failed; the message is what it said."""


def ours(owners: Owners) -> dict[str, list[Row]]:
    """The operations our own objects answer, by botocore's service name."""
    return {service: list(_rows(service, found)) for service, found in sorted(owners.items())}


def _rows(service: str, owners: Sequence[object]) -> list[Row]:
    from botocore import xform_name

    from sandbox.moto_adapter import operation_names

    rows = []
    for name in operation_names(service):
        methods = (getattr(owner, xform_name(name), None) for owner in owners)
        method = next((found for found in methods if found is not None), None)
        if method is not None:
            rows.append(_row(name, OURS, notes_of(method)))
    return rows


def _row(name: str, by: str, notes: Sequence[Note]) -> Row:
    return {"operation": name, "by": by, "notes": [vars(note) for note in notes]}


async def everything(owners: Owners, home: Path) -> list[dict[str, Any]]:
    """All services: `[{"service", "notes", "operations": [{"operation", "by", "notes"}]}]`.

    Raises MotoUnread.
    """
    own = await asyncio.to_thread(ours, owners)
    by_moto = await _by_moto(home)
    return [
        {
            "service": service,
            "notes": [vars(note) for owner in owners.get(service, ()) for note in _on(owner)],
            "operations": _merged(own.get(service, []), by_moto.get(service, [])),
        }
        for service in sorted(own.keys() | by_moto.keys())
    ]


def _on(owner: object) -> tuple[Note, ...]:
    return notes_of(owner)


def _merged(own: Sequence[Row], by_moto: Sequence[str]) -> list[Row]:
    answered = {row["operation"] for row in own}
    rest = [_row(name, MOTO, ()) for name in by_moto if name not in answered]
    return sorted([*own, *rest], key=lambda row: str(row["operation"]))


async def _by_moto(home: Path) -> dict[str, list[str]]:
    """What moto implements, read once for its version and kept in `home`."""
    kept = home / "moto-operations.json"
    versions = {name: importlib.metadata.version(name) for name in ("moto", "botocore")}
    if kept.exists():
        found = json.loads(kept.read_text())
        if found["versions"] == versions:
            services: dict[str, list[str]] = found["services"]
            return services
    services = await _read_moto()
    draft = kept.with_suffix(".new")
    draft.write_text(json.dumps({"versions": versions, "services": services}))
    draft.replace(kept)
    return services


async def _read_moto() -> dict[str, list[str]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sandbox.overview.moto"),
        cwd=Path(__file__).resolve().parents[2],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    written, said = await process.communicate()
    if process.returncode:
        raise MotoUnread(said.decode(errors="replace").strip()[-500:])
    services: dict[str, list[str]] = json.loads(written)
    return services
