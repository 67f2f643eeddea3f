"""The routing state as the data plane takes it: see sandbox.alb.routing.Router.apply."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sandbox.balancing.model import Listener, Rule, Target
from sandbox.names import dimension


def routing(
    listeners: Iterable[Listener], rules: Iterable[Rule], targets: Iterable[Target]
) -> dict[str, Any]:
    """Every listener with its rules by priority, and every group that a rule forwards to."""
    by_listener, by_group = defaultdict(list), defaultdict(list)
    for rule in sorted(rules, key=lambda each: each.place):
        by_listener[rule.listener].append(rule)
    for target in targets:
        by_group[target.group].append(target)
    groups = {group: None for those in by_listener.values() for r in those for group in r.weights}
    return {
        "listeners": {each.name: _plan(each, by_listener[each.arn]) for each in listeners},
        "groups": {dimension(group): _routable(by_group[group]) for group in groups},
    }


def _plan(listener: Listener, rules: Iterable[Rule]) -> dict[str, Any]:
    return {
        "port": listener.answers,
        "elsewhere": listener.elsewhere,
        "protocol": listener.protocol.lower(),
        "idle_seconds": listener.idle_seconds,
        "rules": [_row(rule) for rule in rules],
    }


def _row(rule: Rule) -> dict[str, Any]:
    forward = {dimension(group): weight for group, weight in rule.weights.items()}
    return {"conditions": list(rule.conditions), **(rule.answer or {"forward": forward})}


def _routable(targets: Sequence[Target]) -> list[dict[str, Any]]:
    """Healthy targets; if none is, all unhealthy ones, because an ALB fails open."""
    chosen = [t for t in targets if t.state == "healthy"]
    chosen = chosen or [t for t in targets if t.state == "unhealthy"]
    return [{"host": t.host, "port": t.port, "version": t.version} for t in chosen]
