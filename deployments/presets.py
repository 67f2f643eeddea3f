"""The ways to release that the portal offers, within the limits of ECS's model. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PERCENT_RANGE = (0.1, 100.0)
BAKE_RANGE = (0, 1440)  # minutes
PAUSE_RANGE = (1, 20160)  # minutes


@dataclass(frozen=True, slots=True)
class Preset:
    """One card of the form. Minutes are ECS's deployment minutes."""

    name: str
    title: str
    text: str
    strategy: str
    percent: float | None = None
    canary_bake: int = 0
    bake: int = 0
    pause: bool = False
    needs_load_balancer: bool = True

    def __str__(self) -> str:
        return self.title


PRESETS = (
    Preset(
        name="canary",
        title="Canary",
        text="A few percent of the traffic first; a person compares both versions and promotes.",
        strategy="CANARY",
        percent=10.0,
        canary_bake=5,
        bake=30,
        pause=True,
    ),
    Preset(
        name="blue-green",
        title="Blue/green with pause",
        text="All new tasks start and are checked; a person lets the whole traffic over at once.",
        strategy="BLUE_GREEN",
        bake=30,
        pause=True,
    ),
    Preset(
        name="hotfix",
        title="Hotfix",
        text="Blue/green without a pause: traffic moves as soon as the new tasks are healthy.",
        strategy="BLUE_GREEN",
        bake=15,
    ),
    Preset(
        name="rolling",
        title="Rolling",
        text="For services without a load balancer: tasks are replaced one after the other.",
        strategy="ROLLING",
        needs_load_balancer=False,
    ),
)
# "Go back to what ran before": as fast as ECS can, and still with a way back.
RESTORE = Preset(
    name="restore",
    title="Restore",
    text="Back to the previous revision without pauses.",
    strategy="BLUE_GREEN",
    bake=15,
)


def offered(*, has_load_balancer: bool) -> list[Preset]:
    """Return the presets that suit the service."""
    return [preset for preset in PRESETS if preset.needs_load_balancer == has_load_balancer]


def named(name: str) -> Preset:
    """Return the preset of that name.

    :raises KeyError: if there is none.
    """
    return {preset.name: preset for preset in (*PRESETS, RESTORE)}[name]


def configuration(
    preset: Preset,
    *,
    percent: float | None = None,
    canary_bake: int | None = None,
    bake: int | None = None,
    pause_minutes: int = 60,
    alarms: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return ECS's DeploymentConfiguration; what is None comes from the preset.

    :raises ValueError: if a number is outside of what ECS accepts.
    """
    sent: dict[str, Any] = {"strategy": preset.strategy}
    if preset.strategy == "ROLLING":
        sent |= {
            "maximumPercent": 200,
            "minimumHealthyPercent": 100,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        }
    else:
        minutes = preset.bake if bake is None else bake
        sent["bakeTimeInMinutes"] = _within("Bake time", minutes, BAKE_RANGE)
        sent["lifecycleHooks"] = _pauses(pause_minutes) if preset.pause else []
    if preset.strategy == "CANARY":
        sent["canaryConfiguration"] = _canary(
            preset.percent if percent is None else percent,
            preset.canary_bake if canary_bake is None else canary_bake,
        )
    if alarms:
        sent["alarms"] = {"alarmNames": list(alarms), "enable": True, "rollback": True}
    return sent


def _canary(percent: float | None, bake: int) -> dict[str, Any]:
    low, high = PERCENT_RANGE
    if percent is None or not low <= percent <= high or round(percent, 1) != percent:
        raise ValueError(f"Canary percent must be {low} to {high} in steps of 0.1.")
    return {
        "canaryPercent": percent,
        "canaryBakeTimeInMinutes": _within("Canary bake time", bake, BAKE_RANGE),
    }


def _pauses(minutes: int) -> list[dict[str, Any]]:
    # For canaries ECS asks at this stage before each shift, each time with a new hook id.
    return [
        {
            "targetType": "PAUSE",
            "lifecycleStages": ["PRE_PRODUCTION_TRAFFIC_SHIFT"],
            "timeoutConfiguration": {
                "timeoutInMinutes": _within("Pause", minutes, PAUSE_RANGE),
                "action": "ROLLBACK",
            },
        }
    ]


def _within(what: str, minutes: int, limits: tuple[int, int]) -> int:
    low, high = limits
    if not low <= minutes <= high:
        raise ValueError(f"{what} must be {low} to {high} minutes.")
    return minutes
