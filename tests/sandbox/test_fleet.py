"""What the fleet tells of its tasks."""

from __future__ import annotations

import asyncio

from sandbox.fleet import Fleet, Launch
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
