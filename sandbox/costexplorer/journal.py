"""What the live account holds and when it changed, so that past days keep their price."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox.costexplorer.kinds import Kind
from sandbox.costexplorer.lines import Tags
from sandbox.state import State

_DOCUMENT = "CostPeriod"


@dataclass(frozen=True)
class Holding:
    """So many units (hours' things, vCPUs, GB) of a kind that a resource holds all the time."""

    kind: Kind
    resource: str
    amount: Decimal
    tags: Tags = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """What stays the same when the amount changes."""
        return self.kind.service, self.kind.usage_type, self.resource


@dataclass(frozen=True)
class Period:
    """A holding from `since` to before `until`; None while it lasts. `source` observed it."""

    source: str
    holding: Holding
    since: datetime
    until: datetime | None = None

    def hours(self, start: datetime, end: datetime) -> Decimal:
        """How many hours of it lie between two moments."""
        begin, finish = max(self.since, start), min(self.until or end, end)
        seconds = max((finish - begin).total_seconds(), 0.0)
        return Decimal(str(round(seconds, 3))) / 3600

    @property
    def document(self) -> str:
        """The key it is stored by."""
        return "|".join((self.source, *self.holding.key, self.since.isoformat()))


class Journal:
    """All periods, durable. Sources observe their part of the account, each all of it at once."""

    def __init__(self, state: State, epoch: datetime) -> None:
        self._state = state
        self._epoch = epoch
        self._periods = {period.document: period for period in map(_read, state.all(_DOCUMENT))}

    def observe(self, source: str, holdings: Iterable[Holding], at: datetime) -> None:
        """Remember what `source` sees now; its very first observation holds since the epoch."""
        seen = {holding.key: holding for holding in holdings}
        known = [p for p in self._periods.values() if p.source == source]
        since = at if known else min(self._epoch, at)
        for period in known:
            if period.until is not None:
                continue
            if seen.get(period.holding.key) == period.holding:
                del seen[period.holding.key]
            else:
                self._write(replace(period, until=max(at, period.since)))
        for holding in seen.values():
            self._write(Period(source, holding, since))

    def add(self, source: str, holding: Holding, since: datetime, until: datetime) -> None:
        """A holding whose end is known from the beginning."""
        self._write(Period(source, holding, since, until))

    def end(self, source: str, at: datetime) -> int:
        """End what `source` holds beyond a moment; how many periods that were."""
        lasting = [
            p
            for p in self._periods.values()
            if p.source == source and (p.until is None or p.until > at)
        ]
        for period in lasting:
            self._write(replace(period, until=max(at, period.since)))
        return len(lasting)

    def between(
        self, start: datetime, end: Callable[[Kind], datetime]
    ) -> Iterator[tuple[Holding, Decimal]]:
        """Every holding with its hours from `start` to its kind's `end`, where it has any."""
        for period in list(self._periods.values()):
            hours = period.hours(start, end(period.holding.kind))
            if hours:
                yield period.holding, hours

    def now(self) -> list[Holding]:
        """Every holding that lasts."""
        return [p.holding for p in list(self._periods.values()) if p.until is None]

    def _write(self, period: Period) -> None:
        self._periods[period.document] = period
        self._state.put(_DOCUMENT, period.document, asdict(period) | {"holding": _plain(period)})


def _plain(period: Period) -> dict[str, Any]:
    return asdict(period.holding) | {"amount": str(period.holding.amount)}


def _read(body: dict[str, Any]) -> Period:
    holding = body["holding"]
    return Period(
        source=body["source"],
        holding=Holding(
            Kind(**holding["kind"]),
            holding["resource"],
            Decimal(holding["amount"]),
            tuple((key, value) for key, value in holding["tags"]),
        ),
        since=body["since"],
        until=body["until"],
    )
