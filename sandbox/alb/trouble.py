"""What the load balancer does wrong on purpose: its own errors, and reset connections."""

from __future__ import annotations

import random

from sandbox.chaos.shared import Watched

RESET = 0


class Trouble:
    """Draws for every request whether a fault of the load balancer hits it."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._dice = random.Random()
        self._seed: int | None = None

    def strike(self, load_balancer: str) -> int | None:
        """The status to answer `app/<name>/<id>` with, RESET, or None to serve the request."""
        faults = self._watched.faults
        rows = faults["balancer"]
        if not rows:
            return None
        if faults["seed"] != self._seed:
            self._seed = faults["seed"]
            self._dice.seed(self._seed)
        name = load_balancer.split("/")[1]
        for row in rows:
            if row["load_balancer"] == name and self._dice.random() < row["share"]:
                return int(row["status"])
        return None
