"""What /_sandbox/status and the page tell of load balancers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.balancing.model import Listener, Rule
from sandbox.load_balancers import LoadBalancers


def shown(balancers: LoadBalancers) -> dict[str, Any]:
    """Every load balancer with a listener, by name: where it answers, weights and targets.

    `url` and `weights` are those of its first listener and that one's first rule.
    """
    told: dict[str, Any] = {}
    groups: dict[str, dict[str, None]] = {}
    for listener in balancers.listeners.values():
        rules = balancers.rules_of(listener.arn)
        row = _listener(listener, rules)
        name = listener.load_balancer.split("/")[1]
        balancer = told.setdefault(
            name, {"url": row["url"], "weights": _short(rules[0].weights), "listeners": []}
        )
        balancer["listeners"].append(row)
        groups.setdefault(name, {}).update({group: None for r in rules for group in r.weights})
    for name, those in groups.items():
        told[name]["targets"] = [row for group in those for row in _targets(balancers, group)]
    return told


def _listener(listener: Listener, rules: list[Rule]) -> dict[str, Any]:
    return {
        "port": listener.port,
        "protocol": listener.protocol,
        "url": f"http://127.0.0.1:{listener.answers}",
        "rules": [
            {"priority": rule.priority, "conditions": [c["Field"] for c in rule.conditions]}
            | ({"answers": dict(rule.answer)} if rule.answer else {"weights": _short(rule.weights)})
            for rule in rules
        ],
    }


def _targets(balancers: LoadBalancers, group: str) -> list[dict[str, Any]]:
    return [
        {"target_group": group.split("/")[1], "port": t.port, "state": t.state}
        | {"version": t.version}
        for t in balancers.targets(group)
    ]


def _short(weights: Mapping[str, float]) -> dict[str, float]:
    return {group.split("/")[1]: weight for group, weight in weights.items()}
