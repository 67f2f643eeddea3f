"""The control API under /_sandbox: what the sandbox does, killing tasks, and the readers' rate.

Loopback only, like the gateway; changes need a JSON body, which no web page can send unasked.
Parts add their own routes: faults, scenarios, the list of operations.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from sandbox.switches import Switches

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
MAX_RATE = 500.0


class Control:
    """Handlers of /_sandbox; `status`, `kill` and `send` (a rate to the readers) are given."""

    def __init__(
        self,
        switches: Switches,
        status: Callable[[], dict[str, Any]],
        kill: Callable[[str], bool],
        send: Callable[[float], None],
        rate: float,
    ) -> None:
        self._switches = switches
        self._status = status
        self._kill = kill
        self._send = send
        self.rate = rate

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Register every route."""
        router.add_get("/_sandbox/status", self._get_status)
        router.add_delete("/_sandbox/calls", self._delete_calls)
        router.add_delete("/_sandbox/operations", self._delete_calls)
        router.add_post("/_sandbox/tasks/{task}/kill", self._post_kill)
        router.add_post("/_sandbox/traffic", self._post_traffic)

    def set_rate(self, rate: float) -> None:
        """Let readers send so many requests a second on average; raises ValueError."""
        if not 0 <= rate <= MAX_RATE:
            raise ValueError(f"rate must be a number of requests a second, 0 to {MAX_RATE:g}")
        self.rate = rate
        self._send(rate)

    def status(self) -> dict[str, Any]:
        """What GET /_sandbox/status answers."""
        return self._status()

    async def _get_status(self, _: web.Request) -> web.Response:
        return web.json_response(self._status())

    async def _delete_calls(self, _: web.Request) -> web.Response:
        self._switches.calls.clear()
        return web.json_response({"operations": {}})

    async def _post_kill(self, request: web.Request) -> web.Response:
        await body(request)
        if not self._kill(request.match_info["task"]):
            raise web.HTTPNotFound(text="No such running task.")
        return web.json_response({"killed": request.match_info["task"]})

    async def _post_traffic(self, request: web.Request) -> web.Response:
        try:
            self.set_rate(float((await body(request))["rate"]))
        except (KeyError, TypeError, ValueError) as error:
            text = f"rate must be a number of requests a second, 0 to {MAX_RATE:g}"
            raise web.HTTPBadRequest(text=text) from error
        return web.json_response({"rate": self.rate})


async def body(request: web.Request) -> dict[str, Any]:
    """The JSON object of a request; anything else is refused."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="Send application/json.")
    try:
        value = json.loads(await request.read() or b"{}")
    except ValueError as error:
        raise web.HTTPBadRequest(text="The body is not JSON.") from error
    if not isinstance(value, dict):
        raise web.HTTPBadRequest(text="The body must be a JSON object.")
    return value


@web.middleware
async def loopback_only(request: web.Request, handler: Any) -> web.StreamResponse:
    """Refuse other host names, so that no web page reaches this through DNS rebinding."""
    name = request.host.rsplit(":", 1)[0]
    if request.path.startswith(("/_sandbox", "/_oidc")) and name not in LOOPBACK_NAMES:
        raise web.HTTPForbidden(text="The control API answers on loopback names only.")
    response: web.StreamResponse = await handler(request)
    return response
