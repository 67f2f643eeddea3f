"""Every fault that can be switched on: its name, what it does, and its parameters.

The command line, the control API and the check of scenario files are all made from this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.chaos.kinds import BadFault, Kind, Parameter
from sandbox.chaos.values import choice, duration, number, operation, status, text, whole

# The scheduler's own words.
CAPACITY = (
    "Capacity is unavailable at this time. "
    "Please try again later or in a different availability zone"
)
_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
_OPERATION = Parameter(
    "operation",
    operation,
    "which calls: UpdateService, ecs.UpdateService, ecs:UpdateService, ecs.* or *",
)
_SHARE = Parameter("share", number(0, 1), "share of what it concerns, 0 to 1", 1.0)
_API = (
    _OPERATION,
    _SHARE,
    Parameter("count", whole(1, 1_000_000), "end after so many hits", None),
    Parameter("access_key", text(r"[A-Za-z0-9]{1,128}", "AKIA…"), "only this caller", None),
)
_MILLISECONDS = number(0, 60_000)
_SERVICE = Parameter(
    "service",
    text(rf"{_NAME}/{_NAME}", "production/news-api"),
    "cluster/service, such as production/news-api",
    "production/news-api",
)
_VERSION = Parameter("version", text(_NAME, "1.4.1"), "only tasks of this image tag", None)
_ANY_SERVICE = Parameter(_SERVICE.name, _SERVICE.read, "only tasks of this cluster/service", None)
_BALANCER = Parameter(
    "load_balancer", text(_NAME, "news-production"), "which load balancer", "news-production"
)

AWS_API = (
    Kind("throttle", "calls are refused as too many, in the words of their protocol", _API),
    Kind(
        "server-error",
        "calls fail inside AWS",
        (*_API, Parameter("status", status(500, 502, 503, 504), "HTTP status", 500)),
    ),
    Kind(
        "api-error",
        "calls fail with a chosen error",
        (
            *_API,
            Parameter("error", text(r"[\w.]+", "ServerException"), "the error's code"),
            Parameter("message", text(r"(?s).{1,1000}", "a sentence"), "its text", "Rate exceeded"),
            Parameter("status", whole(400, 599), "HTTP status", 400),
        ),
    ),
    Kind(
        "hang",
        "calls are not answered for so long, then carried out",
        (*_API, Parameter("seconds", number(0, 86_400), "real seconds of silence", 3600.0)),
    ),
    Kind("drop", "the connection is closed and nothing is carried out", _API),
    Kind("late-apply", "the call is carried out, but its answer is lost", _API),
    Kind(
        "corrupt",
        "answers are cut in half, or replaced by a proxy's HTML page",
        (*_API, Parameter("how", choice("truncated", "html"), "truncated or html", "truncated")),
    ),
    Kind(
        "deny",
        "the caller's policies do not allow the action",
        (*_API, Parameter("how", choice("implicit", "explicit"), "kind of denial", "implicit")),
    ),
    Kind(
        "credentials",
        "the caller's credentials have expired, or are unknown",
        (
            Parameter(_OPERATION.name, _OPERATION.read, _OPERATION.help, "*"),
            *_API[1:],
            Parameter("how", choice("expired", "unknown"), "expired or unknown", "expired"),
        ),
    ),
    Kind(
        "signature-window",
        "requests signed more than five minutes off the sandbox's clock are refused",
        single=True,
    ),
)
WORKLOAD = (
    Kind(
        "bad-image",
        "releases an image by RegisterTaskDefinition and UpdateService",
        (
            Parameter(
                "tag",
                text(_NAME, "1.4.2-errors"),
                "image tag, even one that is not there",
                "1.4.2-errors",
            ),
            _SERVICE,
            Parameter(
                "strategy",
                choice("ROLLING", "BLUE_GREEN", "CANARY"),
                "deployment strategy; without it the service's own",
                None,
            ),
            Parameter("bake_minutes", whole(0, 1440), "deployment minutes of baking", None),
            Parameter("canary_percent", number(0.1, 100), "share of a canary", 10.0),
            Parameter(
                "alarms", text(r"[^,]+(,[^,]+)*", "a,b"), "alarms that roll it back, by comma", None
            ),
        ),
        lasting=False,
    ),
    Kind(
        "latency",
        "tasks answer later",
        (Parameter("milliseconds", _MILLISECONDS, "added time"), _SHARE, _ANY_SERVICE, _VERSION),
    ),
    Kind(
        "errors",
        "tasks answer with an error",
        (
            Parameter("status", status(500, 502, 503, 504, 429), "HTTP status", 500),
            _SHARE,
            _ANY_SERVICE,
            _VERSION,
        ),
    ),
    Kind(
        "kill-task",
        "SIGKILL to one task",
        (
            Parameter("task", text(r"[0-9a-f]{4,32}", "a task id"), "task id or its start", None),
            Parameter(_SERVICE.name, _SERVICE.read, "any task of this cluster/service", None),
        ),
        lasting=False,
    ),
    Kind(
        "zone-outage",
        "kills an Availability Zone's tasks and places none there",
        (Parameter("zone", choice("us-east-1a", "us-east-1b"), "the zone", "us-east-1a"),),
    ),
    Kind(
        "placement-failure",
        "no task can be placed",
        (
            Parameter(
                "reason",
                text(r".{1,300}", "a sentence"),
                "what ECS says",
                CAPACITY,
            ),
        ),
        single=True,
    ),
    Kind(
        "surge",
        "readers send so many requests a second",
        (Parameter("rate", number(0, 500), "requests a second"),),
        single=True,
    ),
    Kind(
        "dependency",
        "tasks cannot reach their database or cache, or only slowly",
        (
            Parameter("which", choice("database", "cache"), "database or cache"),
            Parameter(
                "how",
                choice("refuse", "hang", "reset", "slow"),
                "refuse connections, hang, reset them, or be slow",
                "refuse",
            ),
            Parameter("milliseconds", _MILLISECONDS, "how slow, each answer", 300.0),
        ),
    ),
    Kind(
        "balancer-errors",
        "the load balancer answers with its own error",
        (Parameter("status", status(502, 503, 504), "HTTP status", 502), _SHARE, _BALANCER),
    ),
    Kind(
        "balancer-resets",
        "the load balancer resets connections instead of answering",
        (_SHARE, _BALANCER),
    ),
)
ACCOUNT = (
    Kind(
        "clock-step",
        "moves sandbox time for good; step back to undo it",
        (Parameter("seconds", number(-86_400, 86_400), "how far, may be negative"),),
        lasting=False,
    ),
    Kind(
        "expire-hooks",
        "waiting lifecycle hooks time out now",
        (Parameter(_SERVICE.name, _SERVICE.read, "only of this cluster/service", None),),
        lasting=False,
    ),
    Kind(
        "metric-delay",
        "CloudWatch publishes metrics so much later",
        (Parameter("seconds", number(1, 3600), "extra seconds of sandbox time"),),
        single=True,
    ),
    Kind(
        "log-flood",
        "a log group receives many lines",
        (
            Parameter(
                "group", text(r"[\w./#-]{1,512}", "/ecs/news-api"), "log group", "/ecs/news-api"
            ),
            Parameter("lines_per_second", number(1, 10_000), "rate", 200.0),
            Parameter("seconds", number(1, 3600), "for how long", 60.0),
        ),
        lasting=False,
    ),
    Kind(
        "cost-spike",
        "a service costs more from now on",
        (
            Parameter(
                "service",
                text(r".{1,200}", "AmazonCloudWatch"),
                "Cost Explorer's name",
                "AmazonCloudWatch",
            ),
            Parameter("usd_per_day", number(0.01, 100_000), "extra cost a day"),
            Parameter("days", whole(1, 90), "for so many days", 3),
        ),
        single=True,
    ),
    Kind(
        "rotation-failure",
        "secret rotations fail",
        (
            Parameter(
                "how", choice("stuck", "empty-pending", "lambda-error"), "in which way", "stuck"
            ),
        ),
        single=True,
    ),
)
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (*AWS_API, *WORKLOAD, *ACCOUNT)}
# What POST /_sandbox/faults took before faults had names.
_BY_KIND = {
    "error": "api-error",
    "access-denied": "deny",
    "hang": "hang",
    "late-apply": "late-apply",
}


@dataclass(frozen=True)
class Wanted:
    """A fault somebody asks for; `seconds` of sandbox time, None until it is cleared."""

    kind: Kind
    parameters: dict[str, Any]
    seconds: float | None


def wanted(body: Mapping[str, Any]) -> Wanted:
    """Read `{"fault": name, "for": duration, parameter: value, …}`. Raises BadFault."""
    given = dict(_with_name(body))
    kind = known(given.pop("fault", None))
    lasts = given.pop("for", None)
    if lasts is not None and not kind.lasting:
        raise BadFault(f"{kind.name} happens once; it takes no 'for'.")
    try:
        seconds = None if lasts is None else duration(lasts)
    except ValueError as error:
        raise BadFault(f"{kind.name}: for {error}, not {lasts!r}.") from error
    return Wanted(kind, kind.read(given), seconds)


def known(name: object) -> Kind:
    """The fault of this name. Raises BadFault that lists them all."""
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise BadFault(f"There is no fault {name!r}. Known: {', '.join(sorted(KINDS))}.")
    return kind


def _with_name(body: Mapping[str, Any]) -> Mapping[str, Any]:
    if "fault" in body or not body.keys() & {"kind", "operation"}:
        return body
    kind = body.get("kind", "error")
    if kind not in _BY_KIND:
        raise BadFault(f"kind must be one of {', '.join(_BY_KIND)}, not {kind!r}.")
    given = {key: value for key, value in body.items() if key not in ("kind", "rate")}
    if kind == "error":
        given.setdefault("error", "ThrottlingException")
    return given | {"fault": _BY_KIND[kind]} | ({"share": body["rate"]} if "rate" in body else {})
