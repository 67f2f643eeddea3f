"""The load balancer's control interface: HTTP over a Unix socket only its owner may open."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from sandbox.alb.metrics import Book
from sandbox.alb.ports import Ports
from sandbox.alb.routing import Router
from sandbox.measurements import AlbReport


def application(router: Router, book: Book, ports: Ports) -> web.Application:
    """PUT /routing, GET /drained and GET /minutes."""

    async def routing(request: web.Request) -> web.Response:
        applied = router.apply(await request.json())
        try:
            answers = await ports.follow()
        except OSError as error:
            raise web.HTTPConflict(text=str(error)) from error
        version = router.snapshot.version
        return web.json_response({"applied": applied, "version": version, "ports": answers})

    async def drained(request: web.Request) -> web.Response:
        query = request.query
        quiet = await router.drained(
            query["group"], query["host"], int(query["port"]), float(query["timeout"])
        )
        return web.json_response({"drained": quiet})

    async def minutes(request: web.Request) -> web.Response:
        since = int(request.query.get("since", "0"))
        active = ports.active_connections()
        report: AlbReport = {
            "run": book.run,
            "minutes": book.since(since),
            "active_connections": active,
        }
        return web.json_response(report)

    app = web.Application()
    routes: list[tuple[str, str, Callable[..., object]]] = [
        ("PUT", "/routing", routing),
        ("GET", "/drained", drained),
        ("GET", "/minutes", minutes),
    ]
    for method, path, handler in routes:
        app.router.add_route(method, path, handler)  # type: ignore[arg-type]
    return app
