"""How long a scenario takes, and times in words."""

from __future__ import annotations

from sandbox.scenarios.model import Call, Happen, Say, Scenario, Step, Until

_MINUTE, _HOUR = 60, 3600


def span(scenario: Scenario) -> tuple[float, float]:
    """Least and greatest seconds of sandbox time: what it waits for comes true at once, or late."""
    least = most = 0.0
    for step in scenario.steps:
        least = max(least + step.after, step.at)
        most = max(most + step.after, step.at) + _patience(step)
    return least, most


def _patience(step: Step) -> float:
    if isinstance(step.act, Until) or (isinstance(step.act, Call) and step.act.shows):
        return step.act.within
    return 0.0


def told(scenario: Scenario, rate: float) -> str:
    """`at least 10 min and at most 20 min of sandbox time`, and in real time at this clock rate."""
    least, most = span(scenario)
    if rate == 1:
        return f"{_between(least, most)} of real time, as sandbox time runs at clock rate 1"
    real = _between(least / rate, most / rate)
    return f"{_between(least, most)} of sandbox time: {real} at clock rate {rate:g}"


def _between(least: float, most: float) -> str:
    if least == most:
        return f"about {spoken(least)}"
    lower = f"at least {spoken(least)} and " if least else ""
    return f"{lower}at most {spoken(most)}"


def spoken(seconds: float) -> str:
    """`45 s`, `5 min` or `2 h 10 min`; rounded up, from two minutes on to a minute."""
    whole = -int(-seconds // 1)
    if whole < 2 * _MINUTE:
        return f"{whole} s"
    minutes = -(-whole // _MINUTE)
    hours, rest = divmod(minutes * _MINUTE, _HOUR)
    words = [f"{hours} h"] * bool(hours) + [f"{rest // _MINUTE} min"] * bool(rest)
    return " ".join(words)


def named(step: Step) -> str:
    """What a step does, in a few words."""
    act = step.act
    if isinstance(act, Say):
        return act.text
    if isinstance(act, Happen):
        return f"fault {act.fault.kind.name}"
    if isinstance(act, Until):
        return act.expectation.text
    if isinstance(act, Call):
        return f"{act.service}.{act.operation}"
    return f"end of {act.fault or 'all faults'}"
