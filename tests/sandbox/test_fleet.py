"""What the fleet tells of its tasks."""

from __future__ import annotations

import asyncio
import os

from sandbox.fleet import KEPT_LOGS, Fleet, Launch
from sandbox.images import Image
from sandbox.processes import PidFile
from sandbox.settings import Settings


def launch(name, *, listens):
    return Launch(
        "production", "news-api", name, 512, 1024, Image("1.4.0", 1, 1.0), [], {}, listens
    )


def test_a_task_that_is_still_starting_is_not_measured(tmp_path):
    async def sampled():
        settings = Settings(home=tmp_path, port=0, alb_port=0, task_command="sleep 60")
        fleet = Fleet(settings, PidFile(tmp_path / "pids"))
        await fleet.start(launch("worker", listens=False))
        starting = asyncio.create_task(fleet.start(launch("web", listens=True)))
        while len((tmp_path / "pids").read_text().splitlines()) < 2:
            await asyncio.sleep(0.01)
        samples = fleet.task_samples()
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await fleet.stop_all(1)
        return [sample.task_arn for sample in samples]

    assert asyncio.run(sampled()) == ["worker"]


def test_the_log_of_a_quiet_task_is_kept_while_it_runs(tmp_path):
    async def kept():
        settings = Settings(home=tmp_path, port=0, alb_port=0, task_command="sleep 60")
        fleet = Fleet(settings, PidFile(tmp_path / "pids"))
        await fleet.start(launch("quiet", listens=False))
        os.utime(tmp_path / "logs" / "quiet.log", (0, 0))
        for number in range(KEPT_LOGS + 1):
            (tmp_path / "logs" / f"over-{number}.log").touch()
        await fleet.start(launch("next", listens=False))
        await fleet.stop_all(1)
        return {path.stem for path in (tmp_path / "logs").iterdir()}

    logs = asyncio.run(kept())

    assert {"quiet", "next"} <= logs
    assert len(logs) <= KEPT_LOGS + 2
