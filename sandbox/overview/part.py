"""The overview as a part of the account: /_sandbox/operations and the page at /_sandbox/."""

from __future__ import annotations

import asyncio

from aiohttp import web

from sandbox.balancing.status import shown as shown_balancers
from sandbox.chaos.register import Register
from sandbox.context import Context
from sandbox.ecs.account import Account
from sandbox.ecs.scheduler import Scheduler
from sandbox.load_balancers import LoadBalancers
from sandbox.overview import facts, page
from sandbox.overview.operations import Catalogue

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


async def join(sandbox: Context) -> None:
    """Serve the routes."""

    catalogue = Catalogue(sandbox.gateway.owners)

    async def listed(_: web.Request) -> web.Response:
        services = await catalogue.services()
        return web.json_response({"services": services})

    async def shown(request: web.Request) -> web.Response:
        if request.path != "/_sandbox/":
            raise web.HTTPNotFound(text="There is no such page; see /_sandbox/.")
        found = await asyncio.to_thread(facts.gather, sandbox.epoch, _tasks(sandbox))
        in_force = [entry.shown() for entry in sandbox.of(Register).in_force()]
        services = await catalogue.services()
        text = page.html(found, in_force, services, shown_balancers(sandbox.of(LoadBalancers)))
        return web.Response(text=text, content_type="text/html", headers=_HEADERS)

    async def moved(_: web.Request) -> web.Response:
        raise web.HTTPFound("/_sandbox/")

    sandbox.route("GET", "/_sandbox/operations", listed)
    sandbox.route("GET", "/_sandbox/", shown)
    sandbox.route("GET", "/_sandbox", moved)


def _tasks(sandbox: Context) -> dict[int, str]:
    """What each task's process is: `task CLUSTER/SERVICE ID`."""
    scheduler = sandbox.of(Scheduler)
    named = {}
    for arn, task in sandbox.of(Account).tasks.items():
        process = scheduler.process(arn)
        if process is not None:
            cluster, number = task.cluster_arn.rsplit("/", 1)[-1], arn.rsplit("/", 1)[-1]
            named[process.pid] = f"task {cluster}/{task.service} {number}"
    return named
