"""A release as the page draws it: the rail of stages and the traffic bar. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from deployments.models import Release, Status, Strategy

DONE, CURRENT, WAITING, LEFT = "done", "current", "waiting", "left"
_SCALING = {"PRE_SCALE_UP", "SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT"}
_TRAFFIC = {
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One stop of the rail; `state` is done, current, waiting, or left (rolled back from here)."""

    name: str
    state: str


@dataclass(frozen=True, slots=True)
class Bar:
    """Shares of the production traffic, 0 to 100, that add up to 100."""

    old: float
    new: float


def bar(release: Release) -> Bar | None:
    """Return the traffic shares, or None where ECS shifts none."""
    if release.target_weight is None or release.strategy == Strategy.ROLLING:
        return None
    new = max(0.0, min(100.0, release.target_weight))
    return Bar(old=round(100.0 - new, 1), new=round(new, 1))


def rail(release: Release) -> list[Step]:
    """Return the stops of this release's way, each with where it stands."""
    names = _names(release)
    if release.status == Status.SUCCEEDED:
        return [Step(name, DONE) for name in names]
    here = min(_position(release), len(names) - 1)
    if release.state in {Status.ROLLING_BACK, Status.ROLLED_BACK, Status.BROKEN, Status.STOPPED}:
        return _left(names, here, release)
    return [Step(name, _state(at, here, release)) for at, name in enumerate(names)]


def _state(at: int, here: int, release: Release) -> str:
    if release.is_draft or release.is_finished:
        return WAITING
    if at == here:
        return CURRENT
    return DONE if at < here else WAITING


def _left(names: list[str], here: int, release: Release) -> list[Step]:
    steps = [Step(name, DONE) for name in names[:here]]
    ending = CURRENT if release.is_in_flight else LEFT
    return [*steps, Step(names[here], LEFT), Step(release.state.label, ending)]


def _names(release: Release) -> list[str]:
    if release.strategy == Strategy.ROLLING:
        return ["Start", "Roll"]
    shift = "Shift to 100 %"
    middle = [shift]
    if release.strategy == Strategy.CANARY:
        middle = [f"Canary {canary_percent(release):g} %", "Decision", shift]
    elif release.strategy == Strategy.LINEAR:
        middle = ["Shift in steps"]
    elif release.configuration.get("lifecycleHooks"):
        middle = ["Decision", shift]
    return ["Start", "Scale up", *middle, f"Bake {release.bake_minutes} min", "Clean up"]


def canary_percent(release: Release) -> float:
    """Return the share of the traffic that the canary takes, in percent."""
    settings = release.configuration.get("canaryConfiguration", {})
    return float(settings.get("canaryPercent", 5.0))


def _position(release: Release) -> int:
    names = _names(release)
    if release.state in {Status.ROLLED_BACK, Status.ROLLING_BACK, Status.BROKEN, Status.STOPPED}:
        return _furthest(release, names)
    stage = release.lifecycle_stage
    if stage == "CLEAN_UP":
        return len(names) - 1
    if stage == "BAKE_TIME" and not _is_partial(release):
        return len(names) - 2
    if stage in _SCALING:
        return 1
    if stage in _TRAFFIC | {"BAKE_TIME", "POST_TEST_TRAFFIC_SHIFT"}:
        return _in_traffic(release, names)
    return 1 if release.strategy == Strategy.ROLLING and release.ecs_status else 0


def _in_traffic(release: Release, names: list[str]) -> int:
    if release.needs_decision and "Decision" in names:
        return names.index("Decision")
    return 2 if _is_partial(release) else len(names) - 3


def _is_partial(release: Release) -> bool:
    """Whether a canary has yet to take more than its first share."""
    taken = release.target_weight or 0.0
    return release.strategy == Strategy.CANARY and taken < 100.0


def _furthest(release: Release, names: list[str]) -> int:
    if release.baking_since:
        return len(names) - 2
    return min(2, len(names) - 1) if release.traffic_since else 1
