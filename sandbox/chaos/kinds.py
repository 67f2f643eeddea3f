"""What a fault is, and how what somebody asks for is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.chaos.values import Reader, sentence


class BadFault(ValueError):
    """The request names no known fault, or a parameter it does not take or cannot use."""


class _Required:
    """The default of a parameter that must be given."""


REQUIRED = _Required()


@dataclass(frozen=True)
class Parameter:
    """One parameter of a fault; `read` raises ValueError with a sentence for a person."""

    name: str
    read: Reader
    help: str
    default: Any = REQUIRED

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.default is REQUIRED


@dataclass(frozen=True)
class Kind:
    """One fault. `lasting`: in force until its time is over or it is cleared; else it happens
    once. `single`: a new one takes the place of the one in force, as both turn the same knob.
    """

    name: str
    help: str
    parameters: tuple[Parameter, ...] = ()
    lasting: bool = True
    single: bool = False

    def read(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters with their defaults. Raises BadFault."""
        unknown = sorted(given.keys() - {parameter.name for parameter in self.parameters})
        if unknown:
            takes = sentence([p.name for p in self.parameters]) or "no parameters"
            raise BadFault(f"{self.name} does not take {unknown[0]}; it takes {takes}.")
        return {p.name: self._value(p, given) for p in self.parameters}

    def _value(self, parameter: Parameter, given: Mapping[str, Any]) -> Any:
        value = given.get(parameter.name)
        if value is None and parameter.required:
            raise BadFault(f"{self.name} needs {parameter.name}: {parameter.help}.")
        if value is None:
            return parameter.default
        try:
            return parameter.read(value)
        except ValueError as error:
            raise BadFault(f"{self.name}: {parameter.name} {error}, not {value!r}.") from error
