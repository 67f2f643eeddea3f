"""The control API under /_sandbox: what the sandbox does, and faults to switch on.

Loopback only, like the gateway; changes need a JSON body, which no web page can send unasked.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from sandbox.switches import Switch, Switches

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


class Control:
    """Handlers of /_sandbox; `status`, `kill` and `set_traffic` are the composition's."""

    def __init__(
        self,
        switches: Switches,
        status: Callable[[], dict[str, Any]],
        kill: Callable[[str], bool],
        set_traffic: Callable[[float], None],
    ) -> None:
        self._switches = switches
        self._status = status
        self._kill = kill
        self._set_traffic = set_traffic

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Register every route."""
        router.add_get("/_sandbox/status", self._get_status)
        router.add_get("/_sandbox/faults", self._get_faults)
        router.add_post("/_sandbox/faults", self._post_fault)
        router.add_delete("/_sandbox/faults", self._delete_faults)
        router.add_delete("/_sandbox/operations", self._delete_operations)
        router.add_post("/_sandbox/tasks/{task}/kill", self._post_kill)
        router.add_post("/_sandbox/traffic", self._post_traffic)

    async def _get_status(self, _: web.Request) -> web.Response:
        return web.json_response(self._status())

    async def _get_faults(self, _: web.Request) -> web.Response:
        return web.json_response({"faults": [vars(fault) for fault in self._switches.faults]})

    async def _post_fault(self, request: web.Request) -> web.Response:
        given = await body(request)
        kind = str(given.get("kind", "error"))
        if kind not in ("error", "access-denied", "hang", "late-apply") or "operation" not in given:
            raise web.HTTPBadRequest(text="operation is required; kind is one of four")
        try:
            switch = Switch(
                kind="deny" if kind == "access-denied" else kind,
                operation=str(given["operation"]),
                share=float(given.get("rate", 1.0)),
                remaining=None if given.get("count") is None else int(given["count"]),
                detail=str(given.get("error", "ThrottlingException")),
                message=str(given.get("message", "Rate exceeded")),
                status=int(given.get("status", 400)),
                seconds=float(given.get("seconds", 3600.0)),
            )
        except (ValueError, TypeError) as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        self._switches.faults.append(switch)
        return await self._get_faults(request)

    async def _delete_faults(self, request: web.Request) -> web.Response:
        self._switches.faults.clear()
        return await self._get_faults(request)

    async def _delete_operations(self, _: web.Request) -> web.Response:
        self._switches.calls.clear()
        return web.json_response({"operations": {}})

    async def _post_kill(self, request: web.Request) -> web.Response:
        await body(request)
        if not self._kill(request.match_info["task"]):
            raise web.HTTPNotFound(text="No such running task.")
        return web.json_response({"killed": request.match_info["task"]})

    async def _post_traffic(self, request: web.Request) -> web.Response:
        try:
            rate = float((await body(request))["rate"])
        except (KeyError, TypeError, ValueError) as error:
            raise web.HTTPBadRequest(text="rate must be a number of requests a second") from error
        self._set_traffic(rate)
        return web.json_response({"rate": rate})


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
    if request.path.startswith("/_sandbox") and name not in LOOPBACK_NAMES:
        raise web.HTTPForbidden(text="The control API answers on loopback names only.")
    response: web.StreamResponse = await handler(request)
    return response
