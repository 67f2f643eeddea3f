"""CloudWatch metrics of this process, in the embedded metric format, once a minute."""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections import Counter
from typing import Any

NAMESPACE = "NewsAPI"
PERIOD_SECONDS = 60
# CloudWatch takes at most 100 values per metric and line.
VALUES_PER_LINE = 100
# Busy minutes keep an even sample: percentiles stay honest, and Requests holds the true count.
MAX_SAMPLES = 5 * VALUES_PER_LINE

_log = logging.getLogger("news_api.emf")


class Aggregator:
    """Counts and latencies (milliseconds) since the last drain. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._latencies: list[float] = []
        self._seen = 0

    def count(self, **amounts: int) -> None:
        """Add to counters by name; adding 0 makes a counter appear."""
        with self._lock:
            for name, amount in amounts.items():
                self._counts[name] += amount

    def observe(self, milliseconds: float) -> None:
        """Add one latency to the sample."""
        with self._lock:
            self._seen += 1
            if len(self._latencies) < MAX_SAMPLES:
                self._latencies.append(milliseconds)
                return
            place = random.randrange(self._seen)  # noqa: S311 - sampling, not secrecy
            if place < MAX_SAMPLES:
                self._latencies[place] = milliseconds

    def drain(self) -> tuple[dict[str, int], list[float]]:
        """Return the counts and latencies so far, and start again at zero."""
        with self._lock:
            drained = dict(self._counts), self._latencies
            self._counts, self._latencies, self._seen = Counter(), [], 0
            return drained


def documents(
    counts: dict[str, int], latencies: list[float], *, dimensions: dict[str, str], at: float
) -> list[dict[str, Any]]:
    """Return embedded-metric documents: the counts in the first, 100 latencies in each.

    ``at`` is in seconds since the epoch.
    """
    chunks = [
        latencies[start : start + VALUES_PER_LINE]
        for start in range(0, len(latencies), VALUES_PER_LINE)
    ] or [[]]
    drafts: list[dict[str, Any]] = [dict(counts), *({} for _ in chunks[1:])]
    for draft, chunk in zip(drafts, chunks, strict=True):
        if chunk:
            draft["Latency"] = [round(value, 3) for value in chunk]
    return [_document(values, dimensions, at) for values in drafts if values]


def _document(values: dict[str, Any], dimensions: dict[str, str], at: float) -> dict[str, Any]:
    names = list(dimensions)
    directive = {
        "Namespace": NAMESPACE,
        # Once for the service as a whole and once per version: a release shows up beside the old.
        "Dimensions": [[name for name in names if name != "Version"], names],
        "Metrics": [{"Name": name, "Unit": _unit(name)} for name in values],
    }
    return {
        "_aws": {"Timestamp": int(at * 1000), "CloudWatchMetrics": [directive]},
        **dimensions,
        **values,
    }


def _unit(name: str) -> str:
    return "Milliseconds" if name == "Latency" else "Count"


class Reporter:
    """Writes what the aggregator holds at every full minute, and once more when stopped."""

    def __init__(
        self, aggregator: Aggregator, dimensions: dict[str, str], always: tuple[str, ...] = ()
    ) -> None:
        self._aggregator = aggregator
        self._dimensions = dimensions
        # Counters reported even when nothing happened: zero requests is not missing data.
        self._always = dict.fromkeys(always, 0)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and write the unfinished minute."""
        self._stopping.set()
        self._thread.join(timeout=2)
        self.flush()

    def flush(self) -> None:
        self._aggregator.count(**self._always)
        counts, latencies = self._aggregator.drain()
        lines = documents(counts, latencies, dimensions=self._dimensions, at=time.time())
        for line in lines:
            _log.info(json.dumps(line))

    def _run(self) -> None:
        while not self._stopping.wait(PERIOD_SECONDS - time.time() % PERIOD_SECONDS):
            self.flush()


aggregator = Aggregator()
