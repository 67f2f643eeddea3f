"""Faults of AWS's API: the gateway's switches."""

from __future__ import annotations

from sandbox import clock
from sandbox.chaos.effects import CannotHappen, Effect, Given, Started, undo
from sandbox.context import Context
from sandbox.switches import Switch, Switches


def _effect(kind: str, says: str, *, detail: str = "") -> Effect:
    """Switch on `kind` (or the kind that parameter `how` names); `detail` names a parameter."""

    async def effect(sandbox: Context, given: Given) -> Started:
        switch = Switch(
            kind=given["how"] if kind == "credentials" else kind,
            operation=given["operation"],
            share=given["share"],
            remaining=given["count"],
            access_key=given["access_key"],
            detail=given[detail] if detail else "",
            message=given.get("message", ""),
            status=given.get("status", 400),
            seconds=given.get("seconds", 0.0),
        )
        some = "" if switch.share == 1 else f", {switch.share:.0%} of the calls"
        return _switched(sandbox.switches, switch, f"{switch.operation} {says}{some}.")

    return effect


async def _signature_window(sandbox: Context, _: Given) -> Started:
    if clock.rate() != 1:
        raise CannotHappen(
            "Callers' clocks run at rate 1: this fault needs a sandbox whose clock does too."
        )
    says = "Requests signed more than five minutes off the sandbox's clock are refused."
    return _switched(sandbox.switches, Switch("window"), says)


def _switched(switches: Switches, switch: Switch, says: str) -> Started:
    switches.faults.append(switch)

    def off() -> None:
        switches.faults[:] = [kept for kept in switches.faults if kept is not switch]

    return Started(says, undo(off), switch)


EFFECTS = {
    "throttle": _effect("throttle", "is throttled"),
    "server-error": _effect("server-error", "fails inside AWS"),
    "api-error": _effect("error", "is refused", detail="error"),
    "hang": _effect("hang", "is not answered for long"),
    "drop": _effect("drop", "gets no answer and is not carried out"),
    "late-apply": _effect("late-apply", "is carried out without an answer"),
    "corrupt": _effect("corrupt", "gets a broken answer", detail="how"),
    "deny": _effect("deny", "is denied", detail="how"),
    "credentials": _effect("credentials", "meets bad credentials"),
    "signature-window": _signature_window,
}
