"""Dashboards: checked when they are put, kept as they came."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sandbox import clock, tokens
from sandbox.cloudwatch import dashboard_body
from sandbox.cloudwatch.dashboard_body import Remark
from sandbox.errors import AwsError
from sandbox.honesty import our_reading, simplified
from sandbox.names import ACCOUNT
from sandbox.state import State

PER_PAGE = 1000
MAX_DELETED = 100
_KIND = "dashboard"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")


class Dashboards:
    """The account's dashboards; they belong to no region."""

    def __init__(self, state: State) -> None:
        self._state = state

    @simplified("Tags are refused; of a widget's properties only the required ones are checked.")
    def put_dashboard(
        self,
        *,
        DashboardName: str,  # noqa: N803
        DashboardBody: str,  # noqa: N803
        Tags: Sequence[Mapping[str, str]] = (),  # noqa: N803
    ) -> dict[str, Any]:
        """Store a dashboard; raises AwsError InvalidParameterInput with every fault of its body."""
        if not _NAME.fullmatch(DashboardName):
            raise _invalid("The dashboard name may hold A-Z, a-z, 0-9, - and _, at most 255.")
        if Tags:
            raise _invalid("The sandbox does not support tags of dashboards.")
        body = _parsed(DashboardBody)
        kept = {"name": DashboardName, "body": DashboardBody, "modified": clock.now()}
        self._state.put(_KIND, DashboardName, kept)
        remarks = dashboard_body.warnings(body)
        messages = [{"DataPath": one.path, "Message": one.message} for one in remarks]
        return {"DashboardValidationMessages": messages}

    def get_dashboard(self, *, DashboardName: str) -> dict[str, Any]:  # noqa: N803
        """One dashboard with its body; raises AwsError ResourceNotFound."""
        kept = self._state.get(_KIND, DashboardName)
        if kept is None:
            raise _missing(f"Dashboard {DashboardName} does not exist")
        return {
            "DashboardArn": _arn(DashboardName),
            "DashboardBody": kept["body"],
            "DashboardName": DashboardName,
        }

    def list_dashboards(
        self,
        *,
        DashboardNamePrefix: str = "",  # noqa: N803
        NextToken: str | None = None,  # noqa: N803
    ) -> dict[str, Any]:
        """Names, sizes and times by name, 1,000 a page; raises AwsError InvalidParameterValue."""
        kept = [d for d in self._state.all(_KIND) if d["name"].startswith(DashboardNamePrefix)]
        kept.sort(key=lambda dashboard: str(dashboard["name"]))
        begin = _begin(NextToken, DashboardNamePrefix)
        found: dict[str, Any] = {
            "DashboardEntries": [_entry(one) for one in kept[begin : begin + PER_PAGE]]
        }
        if begin + PER_PAGE < len(kept):
            found["NextToken"] = tokens.write([begin + PER_PAGE], {"prefix": DashboardNamePrefix})
        return found

    @our_reading("The dashboards that exist are deleted before the missing ones are told.")
    def delete_dashboards(self, *, DashboardNames: Sequence[str]) -> dict[str, Any]:  # noqa: N803
        """Delete dashboards; raises AwsError ResourceNotFound for those that were not there."""
        if not 0 < len(DashboardNames) <= MAX_DELETED:
            message = f"DashboardNames must hold 1 to {MAX_DELETED} names."
            raise AwsError("InvalidParameterValue", message)
        missing = [name for name in DashboardNames if self._state.get(_KIND, name) is None]
        for name in DashboardNames:
            self._state.delete(_KIND, name)
        if missing:
            raise _missing(f"The specified dashboard does not exist. [{', '.join(missing)}]")
        return {}


def _parsed(text: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except ValueError as error:
        raise _invalid("The field DashboardBody must be a valid JSON object") from error
    found = dashboard_body.errors(body)
    if found:
        raise _invalid(_listed(found))
    parsed: dict[str, Any] = body
    return parsed


def _listed(remarks: Sequence[Remark]) -> str:
    entries = [
        {"dataPath": remark["path"], "message": remark["message"]}
        for remark in map(asdict, remarks)
    ]
    intro = f"The dashboard body is invalid, there are {len(remarks)} validation errors:"
    return f"{intro}\n{json.dumps(entries, indent=2)}"


def _entry(kept: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "DashboardArn": _arn(kept["name"]),
        "DashboardName": kept["name"],
        "LastModified": kept["modified"],
        "Size": len(kept["body"].encode()),
    }


def _arn(name: str) -> str:
    return f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{name}"


def _begin(token: str | None, prefix: str) -> int:
    if token is None:
        return 0
    try:
        return tokens.read(token, {"prefix": prefix})[0]
    except tokens.WrongToken as error:
        raise AwsError("InvalidParameterValue", "The next token is invalid.") from error


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterInput", message)


def _missing(message: str) -> AwsError:
    return AwsError("ResourceNotFound", message, 404)
