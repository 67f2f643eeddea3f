"""What the board of one service shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from catalog.models import ChangeEvent, Service
from monitoring import charts, signals, timeseries
from monitoring.blocks import Floats
from monitoring.charts import Panel
from monitoring.golden import PROVISIONAL_MINUTES
from monitoring.layouts import Layout
from monitoring.models import Collection
from monitoring.ranges import Range
from monitoring.resources import layout_for
from monitoring.sentences import Change, sentence
from monitoring.vitals import Vitals, objectives_of, vitals

MARKERS = 50


@dataclass(frozen=True, slots=True)
class BoardSeries:
    """Lines by key, a value every `step` seconds from second `start` on; NaN is a gap.

    Values before second `settled_until` are final.
    """

    start: int
    step: int
    lines: signals.Columns
    settled_until: int

    def __len__(self) -> int:
        return len(next(iter(self.lines.values()), ()))

    @property
    def settled(self) -> int:
        """How many values of each line are final."""
        return max(0, min(len(self), (self.settled_until - self.start) // self.step))

    def stacked(self, keys: Sequence[str]) -> Floats:
        """The lines as [keys][values]."""
        stack = np.empty((len(keys), len(self)), dtype=np.float32)
        for row, key in zip(stack, keys, strict=True):
            row[:] = self.lines[key]
        return stack


@dataclass(frozen=True, slots=True)
class Board:
    service: Service
    range: Range
    layout: Layout
    panels: list[Panel]
    vitals: Vitals
    collection: Collection | None
    changes: list[ChangeEvent]
    sentences: dict[str, str]


def board_series(service: Service, range_: Range, *, at: datetime) -> BoardSeries:
    """Return every line of the board."""
    layout = layout_for(service)
    window = timeseries.read(
        resource_id=service.pk,
        series=layout.series,
        start=range_.start,
        end=range_.end,
        step=range_.step,
    )
    settled = at - timedelta(minutes=PROVISIONAL_MINUTES)
    lines = signals.compute(layout, window)
    return BoardSeries(window.start, window.step, lines, int(settled.timestamp()) // 60 * 60)


def board(service: Service, range_: Range, *, at: datetime) -> Board:
    """Return the page of a service: panels with what they say, its state and its changes."""
    layout = layout_for(service)
    panels = charts.panels(layout, objectives_of(service))
    series = board_series(service, range_, at=at)
    changes = list(
        service.changes.filter(at__gte=range_.start, at__lt=range_.end).order_by("-at")[:MARKERS]
    )
    return Board(
        service=service,
        range=range_,
        layout=layout,
        panels=panels,
        vitals=vitals(service, timeseries.newest(service.pk).get(service.pk), at=at),
        collection=collection_of(service),
        changes=changes,
        sentences=_sentences(panels, series, changes),
    )


def collection_of(service: Service) -> Collection | None:
    return Collection.objects.filter(service=service).first()


def _sentences(
    panels: Sequence[Panel], series: BoardSeries, changes: Sequence[ChangeEvent]
) -> dict[str, str]:
    change = _newest(series, changes)
    return {
        panel.id: sentence(
            panel, series.lines[panel.leading.key], settled=series.settled, change=change
        )
        for panel in panels
    }


def _newest(series: BoardSeries, changes: Sequence[ChangeEvent]) -> Change | None:
    if not changes:
        return None
    newest = changes[0]
    row = (int(newest.at.timestamp()) - series.start) // series.step
    return Change(row, newest.title, f"{newest.at:%H:%M}")
