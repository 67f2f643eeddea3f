"""The commands that speak with a running sandbox, through its control API on loopback."""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sandbox.chaos.catalogue import KINDS
from sandbox.chaos.kinds import Kind

POLL_SECONDS = 0.5


class Control:
    """The control API of the sandbox on one port.

    Raises urllib.error.HTTPError when it refuses, another URLError when no whole answer comes.
    """

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}/_sandbox/"

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The JSON answer of one request."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(  # noqa: S310
            self._base + path, data, headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
                return json.load(response)
        # urllib wraps what fails before the request is sent, not what fails after it.
        except (ConnectionError, TimeoutError, http.client.HTTPException) as error:
            raise urllib.error.URLError(error) from error


def add_to(subcommands: Any) -> Iterator[argparse.ArgumentParser]:
    """Add every command; yields each parser that speaks with a sandbox."""
    yield _command(subcommands, "status", _status, "show what runs")
    operations = _command(subcommands, "operations", _operations, "list what is served, by whom")
    operations.add_argument("service", nargs="?", help="only of this service")
    yield operations
    yield _command(subcommands, "faults", _faults, "list the faults in force")
    yield from _fault_commands(subcommands)
    clear = _command(subcommands, "clear", _clear, "end faults: all, or those of one name")
    clear.add_argument("fault", nargs="?", choices=sorted(KINDS), metavar="FAULT")
    clear.add_argument("--id", type=int, help="only the one of this number")
    yield clear
    yield from _scenario_commands(subcommands)
    kill = _command(subcommands, "kill", _kill, "SIGKILL a task")
    kill.add_argument("task", help="task id")
    yield kill
    traffic = _command(subcommands, "traffic", _traffic, "change the request rate")
    traffic.add_argument("rate", type=float)
    yield traffic


def _command(subcommands: Any, name: str, run: Any, told: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subcommands.add_parser(name, help=told, description=told)
    parser.set_defaults(run=run)
    return parser


def _print(value: object) -> int:
    sys.stdout.write((value if isinstance(value, str) else json.dumps(value, indent=2)) + "\n")
    return 0


# -- the account ---------------------------------------------------------------------------------


def _status(control: Control, _: argparse.Namespace) -> int:
    return _print(control.ask("GET", "status"))


def _operations(control: Control, arguments: argparse.Namespace) -> int:
    listed = control.ask("GET", "operations")["services"]
    services = [one for one in listed if arguments.service in (None, one["service"])]
    for service in services:
        for row in service["operations"]:
            notes = "; ".join(f"{note['kind']}: {note['text']}" for note in row["notes"])
            _print(f"{service['service']}.{row['operation']} {row['by']} {notes}".rstrip())
    if not services:
        known = ", ".join(one["service"] for one in listed)
        sys.stderr.write(f"There is no service {arguments.service!r}. Known: {known}.\n")
    return 0 if services else 1


def _kill(control: Control, arguments: argparse.Namespace) -> int:
    return _print(control.ask("POST", f"tasks/{arguments.task}/kill", {}))


def _traffic(control: Control, arguments: argparse.Namespace) -> int:
    return _print(control.ask("POST", "traffic", {"rate": arguments.rate}))


# -- faults --------------------------------------------------------------------------------------


def _fault_commands(subcommands: Any) -> Iterator[argparse.ArgumentParser]:
    told = "switch a fault on; `fault NAME --help` tells its parameters"
    fault = subcommands.add_parser("fault", help=told, description=told)
    names = fault.add_subparsers(dest="fault", required=True, metavar="NAME")
    for kind in KINDS.values():
        parser = _command(names, kind.name, _fault, kind.help)
        for parameter in kind.parameters:
            default = "" if parameter.required else f" (default: {_told(parameter.default)})"
            parser.add_argument(
                f"--{parameter.name.replace('_', '-')}",
                required=parameter.required,
                help=f"{parameter.help}{default}".replace("%", "%%"),
            )
        if kind.lasting:
            parser.add_argument("--for", metavar="TIME", help="such as 90s or 5m of sandbox time")
        yield parser


def _told(default: object) -> object:
    return "any" if default is None else default


def _fault(control: Control, arguments: argparse.Namespace) -> int:
    kind: Kind = KINDS[arguments.fault]
    names = [parameter.name for parameter in kind.parameters] + ["for"] * kind.lasting
    given = {name: getattr(arguments, name) for name in names}
    body = {name: value for name, value in given.items() if value is not None}
    answer = control.ask("POST", "faults", {"fault": kind.name, **body})
    return _print(_fault_line(answer["started"]))


def _faults(control: Control, _: argparse.Namespace) -> int:
    rows = control.ask("GET", "faults")["faults"]
    return _print("\n".join(_fault_line(row) for row in rows) or "No fault is in force.")


def _clear(control: Control, arguments: argparse.Namespace) -> int:
    chosen = {"fault": arguments.fault, "id": arguments.id}
    query = urlencode({name: value for name, value in chosen.items() if value is not None})
    rows = control.ask("DELETE", f"faults?{query}")["cleared"]
    return _print("\n".join(f"ended {_fault_line(row)}" for row in rows) or "Nothing to clear.")


def _fault_line(row: Mapping[str, Any]) -> str:
    """One fault with its start, its end and what remains."""
    if row["ended"] is not None:
        until = "over"
    elif row["ends"] is None:
        until = "until cleared"
    else:
        until = f"until {row['ends']}, {row['remaining_seconds']:g} s left"
    left = "" if row["remaining_count"] is None else f", {row['remaining_count']} hits left"
    hits = "" if row["hits"] is None else f", {row['hits']} hits"
    return f"{row['id']} {row['fault']} from {row['started']} {until}{left}{hits}: {row['says']}"


# -- scenarios -----------------------------------------------------------------------------------


def _scenario_commands(subcommands: Any) -> Iterator[argparse.ArgumentParser]:
    told = "replay an incident from a file of steps"
    scenario = subcommands.add_parser("scenario", help=told, description=told)
    actions = scenario.add_subparsers(dest="action", required=True, metavar="ACTION")
    listed = (
        "list the scenarios that are shipped, and how long they take at the sandbox's clock rate"
    )
    yield _command(actions, "list", _scenarios, listed)
    check = _command(actions, "check", _check, "say what is wrong with a file, by line")
    check.add_argument("file", type=Path, nargs="+")
    run = _command(actions, "run", _run, "run one and print its progress; 1 when it fails")
    run.add_argument("scenario", help="a shipped one's name, or a file")
    yield run
    yield _command(actions, "show", _show, "show the one that runs, or the last one")
    yield _command(actions, "stop", _stop, "stop the one that runs and end its faults")


def _scenarios(control: Control, _: argparse.Namespace) -> int:
    from sandbox.scenarios.files import shipped, titles
    from sandbox.scenarios.spans import told

    try:
        rate = control.ask("GET", "status")["clock_rate"]
    except urllib.error.URLError:
        sys.stderr.write("No sandbox answers on that port: real times are those of clock rate 1.\n")
        rate = 1.0
    for name, title in titles().items():
        _print(f"{name:22}{title}\n{'':22}{told(shipped(name), rate)}")
    return 0


def _check(_: Control, arguments: argparse.Namespace) -> int:
    from sandbox.scenarios.files import problems

    found: list[str] = []
    for file in arguments.file:
        try:
            found += problems(file.read_text(), str(file))
        except (OSError, UnicodeDecodeError) as error:
            found.append(f"{file}: cannot be read: {error}")
    _print("\n".join(found) or "Nothing is wrong.")
    return 1 if found else 0


def _run(control: Control, arguments: argparse.Namespace) -> int:
    path = Path(arguments.scenario)
    body = {"file": path.read_text(), "name": path.stem} if path.is_file() else {}
    control.ask("POST", "scenarios", body or {"scenario": arguments.scenario})
    try:
        return _follow(control)
    except KeyboardInterrupt:
        sys.stderr.write("The scenario goes on; `scenario stop` ends it.\n")
        return 130


def _follow(control: Control) -> int:
    """Print what the scenario that runs tells until it ends; 1 unless it succeeded."""
    told = 0
    while True:
        state = control.ask("GET", "scenarios")["run"]
        if state is None:
            sys.stderr.write("The sandbox was started anew, which ended the scenario.\n")
            return 1
        for line in state["lines"][told:]:
            _print(f"{line['at']} {line['text']}")
        told = len(state["lines"])
        if state["outcome"] is not None:
            return 0 if state["outcome"] == "succeeded" else 1
        time.sleep(POLL_SECONDS)


def _show(control: Control, _: argparse.Namespace) -> int:
    return _print(control.ask("GET", "scenarios")["run"] or "No scenario was run yet.")


def _stop(control: Control, _: argparse.Namespace) -> int:
    return _print(control.ask("DELETE", "scenarios")["run"] or "No scenario runs.")
