"""What a scenario is: steps that happen at a moment, or wait for something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.chaos.catalogue import Wanted
from sandbox.scenarios.expectations import Expectation


@dataclass(frozen=True)
class Say:
    """A line of the story."""

    text: str


@dataclass(frozen=True)
class Happen:
    """A fault is switched on."""

    fault: Wanted


@dataclass(frozen=True)
class Cease:
    """Faults of this name end; None: all that the scenario started."""

    fault: str | None


@dataclass(frozen=True)
class Call:
    """An AWS call through the gateway.

    `save` names values of the answer (JMESPath) for later `$name`s. With `shows` the call is
    repeated until that JMESPath is true, at most `within` seconds. With `refused` it is made as an
    ordinary caller, whom faults hit, and must be refused with that code.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any]
    save: Mapping[str, str] = field(default_factory=dict)
    shows: str | None = None
    refused: str | None = None
    within: float = 0.0


@dataclass(frozen=True)
class Until:
    """Waits until something is so, at most `within` seconds of sandbox time."""

    expectation: Expectation
    within: float


@dataclass(frozen=True)
class Step:
    """One step: not before `at` seconds after the start, and `after` seconds after the last."""

    line: int
    at: float
    after: float
    act: Say | Happen | Cease | Call | Until


@dataclass(frozen=True)
class Scenario:
    """A file that has nothing wrong. `seed` makes every share fall the same way."""

    name: str
    title: str
    seed: int
    steps: tuple[Step, ...]
