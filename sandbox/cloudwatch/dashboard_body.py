"""What CloudWatch says about the body of a dashboard.

By "Dashboard body structure and syntax"; the words are those that PutDashboard's answers show in
public bug reports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_WIDGETS = 500
_MAX_WIDTH, _MAX_HEIGHT = 24, 1000
_KNOWN = ("start", "end", "periodOverride", "variables", "widgets")
_METRICS = (
    'Field "metrics" has to be an array of array of strings, with an optional metricRenderer '
    "object as last element"
)
_NO_SOURCE = "The metric widget should have specified a region and a data source or an alarm "


@dataclass(frozen=True)
class Remark:
    """One sentence about a place in the body."""

    path: str
    message: str


def errors(body: Any) -> list[Remark]:
    """Why the body cannot be a dashboard; an empty list when it can."""
    if not isinstance(body, dict):
        return [Remark("/", "Should be object")]
    return list(_body(body))


def warnings(body: Mapping[str, Any]) -> list[Remark]:
    """What CloudWatch would store and not use."""
    unknown = [key for key in body if key not in _KNOWN]
    return [Remark(f"/{key}", "Should NOT have additional properties") for key in unknown]


def _body(body: Mapping[str, Any]) -> Iterator[Remark]:
    if "end" in body and "start" not in body:
        yield Remark("/", "Should have property start when property end is present")
    if body.get("periodOverride", "auto") not in {"auto", "inherit"}:
        yield Remark("/periodOverride", "Should be equal to one of the allowed values")
    widgets = body.get("widgets")
    if widgets is None:
        yield Remark("/", "Should have required property 'widgets'")
    elif not isinstance(widgets, list):
        yield Remark("/widgets", "Should be array")
    elif len(widgets) > MAX_WIDGETS:
        yield Remark("/widgets", f"Should NOT have more than {MAX_WIDGETS} items")
    else:
        for number, widget in enumerate(widgets):
            yield from _widget(widget, f"/widgets/{number}")


def _widget(widget: Any, path: str) -> Iterator[Remark]:
    if not isinstance(widget, dict):
        yield Remark(path, "Should be object")
        return
    yield from _place(widget, path)
    kind, properties = str(widget.get("type")), widget.get("properties")
    if kind not in _PROPERTIES:
        yield Remark(f"{path}/type", "Should be equal to one of the allowed values")
    elif not isinstance(properties, dict):
        yield Remark(path, "Should have required property 'properties'")
    else:
        yield from _PROPERTIES[kind](properties, f"{path}/properties")


def _place(widget: Mapping[str, Any], path: str) -> Iterator[Remark]:
    limits = (("width", 1, _MAX_WIDTH), ("height", 1, _MAX_HEIGHT), ("x", 0, 23), ("y", 0, None))
    for name, least, most in limits:
        value = widget.get(name, least)
        if not isinstance(value, int) or isinstance(value, bool):
            yield Remark(f"{path}/{name}", "Should be integer")
        elif value < least:
            yield Remark(f"{path}/{name}", f"Should be >= {least}")
        elif most is not None and value > most:
            yield Remark(f"{path}/{name}", f"Should be <= {most}")


def _metric(properties: Mapping[str, Any], path: str) -> Iterator[Remark]:
    metrics, annotations = properties.get("metrics"), properties.get("annotations")
    alarms = annotations.get("alarms") if isinstance(annotations, dict) else None
    if metrics is None and not alarms:
        yield Remark(path, "Should have required property 'metrics'")
        yield Remark(path, f"{_NO_SOURCE}annotation")
        yield Remark(path, "Should have required property 'annotations'")
        return
    if metrics is not None and "region" not in properties:
        yield Remark(path, f"{_NO_SOURCE}annotation")
    if metrics is not None:
        yield from _metrics(metrics, f"{path}/metrics")


def _metrics(metrics: Any, path: str) -> Iterator[Remark]:
    if not isinstance(metrics, list):
        yield Remark(path, "Should be array")
        return
    for number, metric in enumerate(metrics):
        if not isinstance(metric, list):
            yield Remark(f"{path}/{number}", "Should be array")
            yield Remark(f"{path}/{number}", _METRICS)
        elif not _is_metric(metric):
            yield Remark(f"{path}/{number}", _METRICS)


def _is_metric(metric: list[Any]) -> bool:
    names = metric[:-1] if metric and isinstance(metric[-1], dict) else metric
    if not names:
        return bool(metric) and "expression" in metric[-1]
    return all(isinstance(name, str) for name in names)


def _required(*names: str) -> Callable[[Mapping[str, Any], str], Iterator[Remark]]:
    def check(properties: Mapping[str, Any], path: str) -> Iterator[Remark]:
        for name in names:
            if name not in properties:
                yield Remark(path, f"Should have required property '{name}'")
            elif properties[name] == []:
                yield Remark(f"{path}/{name}", "Should NOT have less than 1 items")

    return check


_PROPERTIES: Mapping[str, Callable[[Mapping[str, Any], str], Iterator[Remark]]] = {
    "alarm": _required("alarms"),
    "chart": _required("data"),
    "custom": _required("endpoint"),
    "explorer": _required("metrics", "labels"),
    "log": _required("query", "region"),
    "metric": _metric,
    "text": _required("markdown"),
}
