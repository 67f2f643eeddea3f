"""The issuer over HTTP, beside AWS's own routes.

`GET /_oidc/token?audience=…` answers as ACTIONS_ID_TOKEN_REQUEST_URL does inside a job;
`POST /_oidc/token` takes an order (see `issuer.claims`) as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from sandbox.context import Context
from sandbox.control import body
from sandbox.identity.issuer import Issuer


class Routes:
    """Handlers of /_oidc."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer

    def add(self, sandbox: Context) -> None:
        """Register every route."""
        well_known = "/_oidc/.well-known"
        sandbox.route("GET", f"{well_known}/openid-configuration", self._configuration)
        sandbox.route("GET", f"{well_known}/jwks", self._jwks)
        sandbox.route("GET", "/_oidc/token", self._get)
        sandbox.route("POST", "/_oidc/token", self._post)

    async def _configuration(self, _: web.Request) -> web.Response:
        return web.json_response(self._issuer.configuration())

    async def _jwks(self, _: web.Request) -> web.Response:
        await self._issuer.prepare()
        return web.json_response(self._issuer.jwks())

    async def _get(self, request: web.Request) -> web.Response:
        audience = request.query.get("audience")
        return await self._mint({"audience": audience} if audience else {})

    async def _post(self, request: web.Request) -> web.Response:
        return await self._mint(await body(request))

    async def _mint(self, order: Mapping[str, Any]) -> web.Response:
        await self._issuer.prepare()
        try:
            token = self._issuer.mint(order)
        except (ValueError, TypeError) as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        return web.json_response({"count": len(token), "value": token})
