"""PutCompositeAlarm's parameters, checked, and what may be deleted while composites follow it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.alarms import definition, rules
from sandbox.alarms.book import Book
from sandbox.alarms.definition import require
from sandbox.alarms.model import COMPOSITE, Alarm

MAX_PARENTS = 150
MAX_RULE = 10_240
# Composite alarms take no action of EC2 or of a scaling policy.
_REFUSED = ("automate", "swf", "autoscaling")
_WAIT, _EXTENSION = "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod"


def checked(parameters: Mapping[str, Any], book: Book) -> dict[str, Any]:
    """The parameters with defaults; raises AwsError ValidationError."""
    settings = definition.common(parameters, refused_actions=_REFUSED)
    require(parameters.get("ActionConfiguration") is None, "ActionConfiguration is not supported.")
    require(
        len(settings["AlarmRule"]) <= MAX_RULE, f"AlarmRule must not exceed {MAX_RULE} characters"
    )
    children = rules.parse(settings["AlarmRule"]).children
    missing = ", ".join(child for child in children if book.find(child) is None)
    require(
        not missing,
        f"Could not save the composite alarm as alarms [{missing}] in the alarm rule do not exist",
    )
    for child in filter(None, map(book.find, children)):
        others = [each for each in book.parents(child) if each.name != settings["AlarmName"]]
        require(len(others) < MAX_PARENTS, f"{child.name} is in {MAX_PARENTS} alarm rules already")
    _check_suppressor(settings, book)
    return settings


def _check_suppressor(settings: Mapping[str, Any], book: Book) -> None:
    suppressor = settings.get("ActionsSuppressor")
    periods = [settings.get(_WAIT), settings.get(_EXTENSION)]
    if suppressor is None:
        require(periods == [None, None], f"{_WAIT} and {_EXTENSION} need an ActionsSuppressor")
        return
    found = book.find(suppressor)
    require(found, f"The ActionsSuppressor {suppressor} does not exist")
    require(
        found is None or found.name != settings["AlarmName"],
        "A composite alarm cannot be its own ActionsSuppressor",
    )
    require(
        all(period is not None and period >= 0 for period in periods),
        f"{_WAIT} and {_EXTENSION} are required with an ActionsSuppressor",
    )


def check_deletion(alarms: Sequence[Alarm], book: Book) -> None:
    """Raise AwsError if composite alarms still follow one of them, or two are composite."""
    composites = [alarm for alarm in alarms if alarm.kind == COMPOSITE]
    require(len(composites) <= 1, "Only one composite alarm can be deleted in one request")
    kept = [
        alarm.name
        for alarm in alarms
        if any(each not in alarms for each in [*book.parents(alarm), *book.suppressed(alarm)])
        or alarm in book.parents(alarm)
    ]
    them = "it" if len(kept) == 1 else "them"
    require(
        not kept,
        f"Cannot delete {','.join(kept)} as there are composite alarm(s) depending on {them}.",
    )
