"""One health check of one target."""

from __future__ import annotations

import logging

import aiohttp

from sandbox.balancing.model import NO_ANSWER, HealthCheck, Target

log = logging.getLogger("sandbox.elbv2")


class Prober:
    """Asks targets whether they are well."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    def open(self) -> None:
        """Make ready to ask."""
        # No limit: targets that hang must not keep others from being checked in time. As on AWS
        # every check connects anew: a server may be gone while its last connection is not.
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        self._session = aiohttp.ClientSession(connector=connector)

    async def close(self) -> None:
        """Ask no more."""
        if self._session is not None:
            await self._session.close()

    async def status(self, target: Target, check: HealthCheck) -> int | None:
        """The status of its answer, NO_ANSWER for none that is HTTP, None when time was up."""
        if self._session is None:
            return None
        url = f"http://{target.host}:{target.checked_at(check)}{check.path}"
        limit = aiohttp.ClientTimeout(total=check.timeout)
        try:
            async with self._session.get(url, timeout=limit, allow_redirects=False) as response:
                return response.status
        except TimeoutError:
            return None
        except aiohttp.ClientError:
            return NO_ANSWER
        except Exception:  # a target that nobody checks any more would stay as it is for ever
            log.exception("could not check %s", url)
            return NO_ANSWER
