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
    for listener in balancers.listeners.values():
        rules = balancers.rules_of(listener.arn)
        row = _listener(listener, rules)
        balancer = told.setdefault(
            listener.load_balancer.split("/")[1],
            {"url": row["url"], "weights": _short(rules[0].weights), "targets": []}
            | {"listeners": []},
        )
        balancer["listeners"].append(row)
        for rule in rules:
            balancer["targets"] += _targets(balancers, rule, balancer["targets"])
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


def _targets(
    balancers: LoadBalancers, rule: Rule, known: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    rows = [
        {"target_group": group.split("/")[1], "port": t.port, "state": t.state}
        | {"version": t.version}
        for group in rule.weights
        for t in balancers.targets(group)
    ]
    return [row for row in rows if row not in known]


def _short(weights: Mapping[str, float]) -> dict[str, float]:
    return {group.split("/")[1]: weight for group, weight in weights.items()}
