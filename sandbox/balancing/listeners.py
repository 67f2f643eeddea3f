"""Listeners: each opens a loopback port of its own in the load balancer's process."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.balancing import limits
from sandbox.balancing.changes import Answer, Changes
from sandbox.balancing.model import Listener
from sandbox.balancing.values import check_actions, invalid, not_here
from sandbox.errors import AwsError
from sandbox.honesty import simplified
from sandbox.names import default_rule_arn, dimension

LAST_PORT = 65_535
_PROTOCOLS = ("HTTP", "HTTPS")
_WHERE = (
    "It answers on a loopback port that the system chooses (see /_sandbox/status), over HTTP even "
    "when its protocol is HTTPS: certificates and policies are described only, and targets are "
    "told X-Forwarded-Proto https."
)


class Listeners:
    """CreateListener, ModifyListener and DeleteListener."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._balancers = changes.balancers

    @simplified(_WHERE)
    @simplified("Calling it again for the same port is refused even when nothing differs.")
    async def create_listener(
        self,
        LoadBalancerArn: str,
        DefaultActions: Sequence[Mapping[str, Any]],
        Protocol: str = "",
        Port: int | None = None,
        **settings: Any,
    ) -> Answer:
        """Listen on a further port. Raises LoadBalancerNotFound, DuplicateListener,
        TooManyListeners, TargetGroupNotFound, CertificateNotFound, ValidationError and more.
        """
        await self._changes.ask("DescribeLoadBalancers", LoadBalancerArns=[LoadBalancerArn])
        balancer = dimension(LoadBalancerArn)
        self._check(balancer, None, Port, Protocol, settings)
        if Port is None:
            raise invalid("A listener port must be specified")
        if Protocol == "HTTPS" and not settings.get("Certificates"):
            raise invalid("A certificate must be specified for HTTPS listeners")
        check_actions(DefaultActions)
        limits.check_groups(self._balancers, balancer, DefaultActions)
        if len(self._of(balancer)) >= limits.MOST_LISTENERS:
            raise limits.too_many("Listeners", "listeners per load balancer")
        given = {"LoadBalancerArn": LoadBalancerArn, "DefaultActions": DefaultActions}
        where = {"Protocol": Protocol, "Port": Port}
        made = await self._changes.make("CreateListener", given | where | settings)
        return await self._shown(made["Listeners"][0]["ListenerArn"])

    @simplified("Where it answers stays the same, also when its port is modified.")
    @simplified("Certificates and policies are described only.")
    async def modify_listener(
        self,
        ListenerArn: str,
        Port: int | None = None,
        Protocol: str = "",
        DefaultActions: Sequence[Mapping[str, Any]] = (),
        **settings: Any,
    ) -> Answer:
        """Change the port, the protocol or the default rule. Raises ListenerNotFound,
        DuplicateListener, TargetGroupNotFound, ValidationError and more.
        """
        listener = self._balancers.listeners.get(ListenerArn)
        if listener is None:
            raise limits.no_listener(ListenerArn)
        self._check(listener.load_balancer, listener, Port, Protocol or listener.protocol, settings)
        if DefaultActions:
            check_actions(DefaultActions)
            limits.check_groups(self._balancers, listener.load_balancer, DefaultActions)
        given = {"Port": Port, "Protocol": Protocol, "DefaultActions": DefaultActions}
        changed = {name: value for name, value in given.items() if value}
        moved = default_rule_arn(ListenerArn) if DefaultActions else ""
        whole = {"ListenerArn": ListenerArn} | changed | settings
        await self._changes.make("ModifyListener", whole, moved=moved)
        return await self._shown(ListenerArn)

    async def delete_listener(self, ListenerArn: str) -> Answer:
        """Close its port; requests in flight are answered. Raises ListenerNotFound."""
        if ListenerArn not in self._balancers.listeners:
            raise limits.no_listener(ListenerArn)
        return await self._changes.make("DeleteListener", {"ListenerArn": ListenerArn})

    def _check(
        self,
        balancer: str,
        listener: Listener | None,
        port: int | None,
        protocol: str,
        settings: Mapping[str, Any],
    ) -> None:
        if protocol not in _PROTOCOLS:
            raise invalid(f"Listener protocol '{protocol}' must be one of 'HTTP, HTTPS'")
        if port is not None and not 1 <= port <= LAST_PORT:
            raise invalid(f"The port must be between 1 and {LAST_PORT}")
        if any(each.port == port for each in self._of(balancer) if each is not listener):
            raise AwsError("DuplicateListener", "A listener already exists on this port")
        if settings.get("MutualAuthentication", {}).get("Mode", "off") != "off":
            raise not_here("Mutual authentication is not available on this listener.")
        if settings.get("AlpnPolicy"):
            raise not_here("ALPN policies are for listeners of protocol TLS.")
        if protocol == "HTTP" and (settings.get("Certificates") or settings.get("SslPolicy")):
            raise not_here("Certificates and policies are for listeners of protocol HTTPS.")

    def _of(self, balancer: str) -> list[Listener]:
        return [
            each for each in self._balancers.listeners.values() if each.load_balancer == balancer
        ]

    async def _shown(self, arn: str) -> Answer:
        described = await self._changes.ask("DescribeListeners", ListenerArns=[arn])
        return {"Listeners": described["Listeners"]}
