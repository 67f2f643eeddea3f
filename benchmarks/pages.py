"""Server time of pages: `python -m launcher run -- python -m benchmarks.pages`.

50 services with 14 days of minutes of every series, in a throw-away database. Each page is asked
for through the whole WSGI application (middleware, session, role) in this process.
"""

from __future__ import annotations

import os
import sys

from benchmarks import fleet

ROUNDS = 60


def main() -> None:
    with fleet.throw_away_database():
        services = fleet.seed()
        portal = fleet.Portal()
        _, headers, _ = portal.get("/", **_LIVE)
        board = f"/services/{services[0].slug}/"
        rows = {
            "select 1": fleet.timed(fleet.select_one, rounds=500),
            "empty gated view": portal.timed("/benchmark/empty", rounds=200),
            "overview, 50 services": portal.timed("/", rounds=ROUNDS),
            "overview, live part": portal.timed("/", rounds=ROUNDS, **_LIVE),
            "overview, live part unchanged (304)": portal.timed(
                "/", rounds=ROUNDS, expected=304, HTTP_IF_NONE_MATCH=headers["ETag"], **_LIVE
            ),
            "board, 6 h": portal.timed(board, rounds=ROUNDS),
            "board, 24 h": portal.timed(f"{board}?range=24h", rounds=ROUNDS),
            "board, 14 d": portal.timed(f"{board}?range=14d", rounds=ROUNDS),
            "table of a chart, 24 h": portal.timed(
                f"{board}data/latency/?range=24h", rounds=ROUNDS
            ),
        }
    print(f"load average {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}\n")
    fleet.report(rows, unit="select 1", floor="empty gated view")


_LIVE = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "fleet"}

if __name__ == "__main__":
    main()
