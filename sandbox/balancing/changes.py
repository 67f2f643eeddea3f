"""A change of what moto keeps, carried to the data plane before the answer leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sandbox.balancing.model import Picture
from sandbox.gateway import Gateway
from sandbox.load_balancers import LoadBalancers

if TYPE_CHECKING:
    from sandbox.moto_adapter import Tail

Answer = dict[str, Any]


class Changes:
    """Asks moto, whose journal makes it durable, and lets the load balancers act accordingly."""

    def __init__(self, balancers: LoadBalancers, gateway: Gateway) -> None:
        self.balancers = balancers
        self._gateway = gateway

    async def make(
        self, operation: str, parameters: Mapping[str, Any], *, moved: str = ""
    ) -> Answer:
        """moto's answer to a change; `moved` is a rule that gets other weights by it.

        Raises AwsError, and then nothing has changed.
        """
        async with self.balancers.changing:
            weights = self.balancers.weights()
            weights.pop(moved, None)

            def work(tail: Tail) -> tuple[Answer, Picture]:
                from sandbox.balancing.moto_picture import read
                from sandbox.moto_calls import ask

                answer = ask(tail, "elbv2", operation, parameters)
                return answer, read(weights)

            answer, picture = await self._gateway.with_tail(work)
            self.balancers.take_over(picture, moved)
        await self.balancers.try_to_push()
        return dict(answer)

    async def look(self, work: Callable[[], Any]) -> Any:
        """What `work` returns, or raises, in moto's thread."""
        return await self._gateway.in_moto(work)

    async def ask(self, operation: str, **parameters: Any) -> Answer:
        """moto's answer to a question. Raises AwsError."""

        def work(tail: Tail) -> Answer:
            from sandbox.moto_calls import ask

            return ask(tail, "elbv2", operation, parameters)

        return dict(await self._gateway.with_tail(work))
