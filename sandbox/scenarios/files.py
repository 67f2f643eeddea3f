"""Reads scenario files, and says what is wrong with one by line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sandbox.chaos.catalogue import KINDS, known, wanted
from sandbox.chaos.kinds import BadFault
from sandbox.chaos.values import duration
from sandbox.scenarios import expectations
from sandbox.scenarios.caller import model
from sandbox.scenarios.located import Located, NotYaml, read
from sandbox.scenarios.model import Call, Cease, Happen, Say, Scenario, Step, Until

DIRECTORY = Path(__file__).with_name("shipped")
_WHEN = {"at", "after"}
_ACTS: Mapping[str, set[str]] = {
    "say": set(),
    "fault": {"with"},
    "end": set(),
    "until": {"within"},
    "call": {"with", "save", "shows", "refused", "within"},
}
_DEFAULT_WITHIN = 600.0
_SAVED = re.compile(r"\$(\w+)")


class Wrong(ValueError):
    """Something in the file is wrong; `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def problems(text: str, name: str) -> list[str]:
    """`name:line: sentence` for everything that is wrong with a file; empty when nothing is."""
    found: list[Wrong] = []
    _scenario(text, name, found)
    return [f"{name}:{wrong.line}: {wrong}" for wrong in found]


def parse(text: str, name: str) -> Scenario:
    """The scenario in a file. Raises ValueError with every problem, one a line."""
    found: list[Wrong] = []
    scenario = _scenario(text, name, found)
    if scenario is None or found:
        raise ValueError("\n".join(f"{name}:{wrong.line}: {wrong}" for wrong in found))
    return scenario


@cache
def titles() -> dict[str, str]:
    """Name and title of every scenario that comes with the sandbox."""
    paths = sorted(DIRECTORY.glob("*.yaml"))
    return {path.stem: str(read(path.read_text()).value["title"].value) for path in paths}


def shipped(name: str) -> Scenario:
    """The scenario of this name that comes with the sandbox. Raises KeyError."""
    if name not in titles():
        raise KeyError(name)
    return parse((DIRECTORY / f"{name}.yaml").read_text(), name)


def _scenario(text: str, name: str, found: list[Wrong]) -> Scenario | None:
    try:
        document = read(text)
        top = _mapping(document, "a scenario", {"title", "seed", "steps"}, set())
        title = _typed(top["title"], str, "title must be a sentence")
        seed = _typed(top["seed"], int, "seed must be a whole number")
        listed = _typed(top["steps"], list, "steps must be a list")
    except (NotYaml, Wrong) as error:
        found.append(Wrong(error.line, str(error)))
        return None
    steps, saved = [], set[str]()
    for located in listed:
        try:
            steps.append(_step(located, saved))
        except Wrong as wrong:
            found.append(wrong)
    return Scenario(name, title, seed, tuple(steps))


def _step(located: Located, saved: set[str]) -> Step:
    if not isinstance(located.value, dict):
        raise Wrong(located.line, "a step is a mapping")
    acts = sorted(located.value.keys() & _ACTS.keys())
    if len(acts) != 1:
        raise Wrong(located.line, f"a step has one of {', '.join(_ACTS)}, not {acts or 'none'}")
    act = acts[0]
    step = _mapping(located, f"a step with {act}", {act}, _WHEN | _ACTS[act])
    return Step(
        line=located.line,
        at=_time(step.get("at")),
        after=_time(step.get("after")),
        act=_READERS[act](step, saved),
    )


def _say(step: Mapping[str, Located], _: set[str]) -> Say:
    return Say(_typed(step["say"], str, "say must be a sentence"))


def _fault(step: Mapping[str, Located], _: set[str]) -> Happen:
    line = step["fault"].line
    try:
        kind = known(step["fault"].value)
        body = step["with"].plain() if "with" in step else {}
        line = step["with"].line if "with" in step else line
        if not isinstance(body, dict):
            raise BadFault("with must be a mapping.")
        return Happen(wanted({**body, "fault": kind.name}))
    except BadFault as error:
        raise Wrong(line, str(error)) from error


def _end(step: Mapping[str, Located], _: set[str]) -> Cease:
    name = step["end"].value
    if name != "all" and name not in KINDS:
        raise Wrong(step["end"].line, f"end must be all or a fault's name, not {name!r}")
    return Cease(None if name == "all" else str(name))


def _until(step: Mapping[str, Located], _: set[str]) -> Until:
    text = _typed(step["until"], str, "until must be a sentence")
    within = _time(step.get("within"), _DEFAULT_WITHIN)
    try:
        return Until(expectations.read(text), within)
    except ValueError as error:
        raise Wrong(step["until"].line, str(error)) from error


def _call(step: Mapping[str, Located], saved: set[str]) -> Call:
    named = _typed(step["call"], str, "call must look like ecs.UpdateService")
    service, _, operation = named.rpartition(".")
    parameters = step["with"].plain() if "with" in step else {}
    line = step["with"].line if "with" in step else step["call"].line
    _check_call(step["call"].line, line, service, operation, parameters)
    for name in _SAVED.findall(str(parameters)):
        if name not in saved:
            raise Wrong(line, f"${name} was not saved by an earlier step")
    save = _expressions(step.get("save"))
    saved.update(save)
    if "shows" in step:
        _compile(step["shows"])
    return Call(
        service=service,
        operation=operation,
        parameters=parameters,
        save=save,
        shows=step["shows"].value if "shows" in step else None,
        refused=step["refused"].value if "refused" in step else None,
        within=_time(step.get("within"), _DEFAULT_WITHIN),
    )


_READERS: Mapping[str, Callable[[Mapping[str, Located], set[str]], Any]] = {
    "say": _say,
    "fault": _fault,
    "end": _end,
    "until": _until,
    "call": _call,
}


def _check_call(at: int, line: int, service: str, operation: str, parameters: Any) -> None:
    from botocore.exceptions import UnknownServiceError
    from botocore.model import OperationNotFoundError
    from botocore.validate import ParamValidator

    try:
        shape = model(service).operation_model(operation).input_shape
    except (UnknownServiceError, OperationNotFoundError) as error:
        raise Wrong(at, f"there is no operation {service}.{operation}") from error
    if not isinstance(parameters, dict):
        raise Wrong(line, "with must be a mapping")
    report = ParamValidator().validate(_stand_ins(parameters, shape), shape) if shape else None
    if report is not None and report.has_errors():
        raise Wrong(line, report.generate_report().replace("\n", "; "))


def _stand_ins(parameters: Mapping[str, Any], shape: Any) -> dict[str, Any]:
    """What a `$name` will be is known only when it runs: here a list where a list is wanted."""
    lists = {name for name, member in shape.members.items() if member.type_name == "list"}
    return {
        name: [] if name in lists and isinstance(value, str) and value[:1] == "$" else value
        for name, value in parameters.items()
    }


def _expressions(located: Located | None) -> dict[str, str]:
    if located is None:
        return {}
    rows = _typed(located, dict, "save must be a mapping of names to JMESPath expressions")
    return {name: _compile(row) for name, row in rows.items()}


def _compile(located: Located) -> str:
    import jmespath  # type: ignore[import-untyped]

    try:
        jmespath.compile(located.value)
    except Exception as error:  # jmespath raises its own errors and TypeErrors alike
        raise Wrong(located.line, f"not a JMESPath expression: {located.value!r}") from error
    return str(located.value)


def _mapping(
    located: Located, what: str, required: set[str], optional: set[str]
) -> Mapping[str, Located]:
    found: dict[str, Located] = _typed(located, dict, f"{what} is a mapping")
    for name in _unexpected(found, required | optional):
        raise Wrong(found[name].line, f"{what} does not have {name}")
    for name in sorted(required - found.keys()):
        raise Wrong(located.line, f"{what} needs {name}")
    return found


def _unexpected(found: Mapping[str, Located], expected: set[str]) -> Iterator[str]:
    return (name for name in found if name not in expected)


def _typed(located: Located, kind: type, message: str) -> Any:
    if not isinstance(located.value, kind) or isinstance(located.value, bool):
        raise Wrong(located.line, message)
    return located.value


def _time(located: Located | None, default: float = 0.0) -> float:
    if located is None:
        return default
    if str(located.value) in ("0", "0s"):
        return 0.0
    try:
        return duration(located.value)
    except ValueError as error:
        raise Wrong(located.line, f"{located.value!r} {error}") from error
