"""Faults as a part of the account: the control API's /_sandbox/faults."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from aiohttp import web

from sandbox.chaos.catalogue import KINDS, known, wanted
from sandbox.chaos.effects import CannotHappen, Unserved
from sandbox.chaos.kinds import BadFault
from sandbox.chaos.register import InForce, Register
from sandbox.chaos.shared import LOOK_SECONDS, VARIABLE, FaultFile
from sandbox.context import Context
from sandbox.control import body


async def join(sandbox: Context) -> None:
    """Serve the routes. Tasks started from now on are told where their faults are written."""
    os.environ[VARIABLE] = str(sandbox.of(FaultFile).path)
    register = Register(sandbox)
    sandbox.provide(register)
    routes = Routes(register)
    sandbox.route("GET", "/_sandbox/faults", routes.listed)
    sandbox.route("POST", "/_sandbox/faults", routes.start)
    sandbox.route("DELETE", "/_sandbox/faults", routes.end)
    sandbox.route("GET", "/_sandbox/faults/known", routes.known)


class Routes:
    """Handlers of /_sandbox/faults."""

    def __init__(self, register: Register) -> None:
        self._register = register

    async def listed(self, _: web.Request) -> web.Response:
        """GET: faults in force and those of before."""
        return web.json_response(self._shown())

    async def known(self, _: web.Request) -> web.Response:
        """GET: every fault there is, with its parameters."""
        return web.json_response({"known": [_described(name) for name in sorted(KINDS)]})

    async def start(self, request: web.Request) -> web.Response:
        """POST `{"fault": name, "for": duration, …}`: the fault, in force when this answers."""
        try:
            given = await body(request)
            # Names of operations are looked up in AWS's models, which may take a second.
            asked = await asyncio.to_thread(wanted, given)
            entry = await self._register.start(asked)
        except (BadFault, CannotHappen) as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        except Unserved as error:
            raise web.HTTPNotImplemented(text=str(error)) from error
        await _seen()
        return web.json_response(self._shown() | {"started": entry.shown()})

    async def end(self, request: web.Request) -> web.Response:
        """DELETE: all faults, or those of `?fault=name`, or the one of `?id=number`."""
        query = request.query
        try:
            kind = known(query["fault"]) if "fault" in query else None
            number = int(query["id"]) if "id" in query else None
        except BadFault as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        except ValueError as error:
            raise web.HTTPBadRequest(text="id must be a number.") from error

        def concerned(entry: InForce) -> bool:
            return kind in (None, entry.kind) and number in (None, entry.id)

        ended = await self._register.end(concerned)
        if ended:
            await _seen()
        return web.json_response(self._shown() | {"cleared": [one.shown() for one in ended]})

    def _shown(self) -> dict[str, Any]:
        return {
            "faults": [entry.shown() for entry in self._register.in_force()],
            "past": [entry.shown() for entry in self._register.past()],
        }


async def _seen() -> None:
    """Wait until tasks and load balancer have looked at the file again."""
    await asyncio.sleep(1.5 * LOOK_SECONDS)


def _described(name: str) -> dict[str, Any]:
    kind = KINDS[name]
    return {
        "fault": name,
        "help": kind.help,
        "lasting": kind.lasting,
        "parameters": [
            {"name": p.name, "help": p.help, "required": p.required}
            | ({} if p.required else {"default": p.default})
            for p in kind.parameters
        ],
    }
