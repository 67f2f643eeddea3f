"""CloudWatch's alarm operations, answering in botocore's output shapes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sandbox import clock
from sandbox.alarms import composite, definition, views
from sandbox.alarms.actions import Actions, Handler
from sandbox.alarms.book import Book
from sandbox.alarms.definition import invalid, require
from sandbox.alarms.evaluation import State
from sandbox.alarms.history import History
from sandbox.alarms.model import COMPOSITE, METRIC, Alarm, Condition
from sandbox.alarms.readings import read
from sandbox.alarms.transitions import Transitions
from sandbox.cloudwatch.service import CloudWatch
from sandbox.errors import AwsError
from sandbox.honesty import OUR_READING, SIMPLIFIED, Note, our_reading, simplified

_MAX_REASON, _MAX_REASON_DATA = 1023, 4000


class Alarms:
    """The account's alarms: what others ask of them, and the operations of the API."""

    NOTES = (
        Note(SIMPLIFIED, "Anomaly detection, PromQL and Metrics Insights are refused in alarms."),
        Note(SIMPLIFIED, "Actions of SNS and scaling policies are executed, others fail."),
        Note(OUR_READING, "EvaluationPeriods + 2 points are retrieved, as in the guide's example."),
        Note(
            OUR_READING, "A breach too young to ring leaves too little data, as in the older guide."
        ),
        Note(OUR_READING, "A repeated action of a scaling policy leaves no history item."),
    )

    def __init__(
        self,
        *,
        book: Book,
        history: History,
        actions: Actions,
        transitions: Transitions,
        cloudwatch: CloudWatch,
    ) -> None:
        self._book = book
        self._history = history
        self._actions = actions
        self._transitions = transitions
        self._cloudwatch = cloudwatch

    # -- what other parts ask --------------------------------------------------------------------

    async def in_alarm(self, names: Sequence[str]) -> list[str]:
        """Which of these alarms are in ALARM now; those that do not exist are not."""
        found = ((name, self._book.find(name)) for name in names)
        return [name for name, alarm in found if alarm and alarm.state is State.ALARM]

    def exists(self, name: str) -> bool:
        """Whether there is an alarm of that name."""
        return self._book.find(name) is not None

    def with_action(self, part: str) -> list[str]:
        """The metric alarms one of whose AlarmActions has this part in its ARN."""
        return [
            alarm.name
            for alarm in self._book.metric_alarms()
            if any(part in arn for arn in alarm.settings["AlarmActions"])
        ]

    def on_action(self, prefix: str, handler: Handler) -> None:
        """Let `handler` execute the actions whose ARN begins with `prefix`."""
        self._actions.on(prefix, handler)

    async def put(self, **parameters: Any) -> None:
        """PutMetricAlarm, for parts that make alarms of their own."""
        await self.put_metric_alarm(**parameters)

    def seed(self, parameters: Mapping[str, Any]) -> None:
        """An alarm of the fresh account; what it says is known to be right."""
        settings = definition.metric_alarm(parameters)
        self._put(METRIC, settings, definition.tags(parameters.get("Tags")))

    # -- configuration ---------------------------------------------------------------------------

    @simplified("ThresholdMetricId, EvaluationCriteria, WarmUp- and ActionConfiguration refused.")
    @our_reading("An alarm is evaluated within a second of its creation, then once a minute.")
    async def put_metric_alarm(self, **parameters: Any) -> None:
        """Create or replace a metric alarm; its state stays. Raises AwsError."""
        settings = definition.metric_alarm(parameters)
        # Expressions and statistics are checked by evaluating them once.
        await read(self._cloudwatch, settings, definition.watched(settings), clock.time())
        self._put(METRIC, settings, definition.tags(parameters.get("Tags")))

    @our_reading("A cycle may be made, as the API reference says; it is then not evaluated.")
    async def put_composite_alarm(self, **parameters: Any) -> None:
        """Create or replace a composite alarm; its state stays. Raises AwsError."""
        settings = composite.checked(parameters, self._book)
        known = self._book.find(settings["AlarmName"])
        alarm = self._put(COMPOSITE, settings, definition.tags(parameters.get("Tags")))
        self._transitions.evaluate(alarm, clock.now(), why="updated" if known else "created")

    def _put(self, kind: str, settings: dict[str, Any], tags: dict[str, str]) -> Alarm:
        name, at = settings["AlarmName"], clock.now()
        alarm = self._book.find(name)
        require(
            alarm is None or alarm.kind == kind, f"There is an alarm of another type named {name}"
        )
        verb = "Updated" if alarm else "Created"
        if alarm is None:
            alarm = Alarm(name, kind, settings, at, at, at, tags=tags)
        alarm.settings, alarm.configured_at = settings, at
        self._book.save(alarm)
        self._history.configured(alarm, verb, at)
        return alarm

    @our_reading("Unknown names are reported after the known ones were deleted.")
    async def delete_alarms(self, *, AlarmNames: list[str]) -> None:  # noqa: N803
        """Delete alarms, at most one of them composite; raises AwsError."""
        require(len(AlarmNames) <= views.MAX_PAGE, "AlarmNames must not exceed 100 names")
        found = {name: self._book.find(name) for name in AlarmNames}
        alarms = [alarm for alarm in found.values() if alarm is not None]
        composite.check_deletion(alarms, self._book)
        for alarm in alarms:
            self._book.remove(alarm)
            self._history.configured(alarm, "Deleted", clock.now())
        if len(alarms) < len(found):
            raise _not_found()

    async def enable_alarm_actions(self, *, AlarmNames: list[str]) -> None:  # noqa: N803
        """Let the alarms act again; unknown names are ignored."""
        self._set_actions(AlarmNames, enabled=True)

    async def disable_alarm_actions(self, *, AlarmNames: list[str]) -> None:  # noqa: N803
        """Let the alarms change their state without acting; unknown names are ignored."""
        self._set_actions(AlarmNames, enabled=False)

    def _set_actions(self, names: Sequence[str], *, enabled: bool) -> None:
        require(len(names) <= views.MAX_PAGE, "AlarmNames must not contain more than 100 names")
        for alarm in filter(None, map(self._book.find, names)):
            if alarm.settings["ActionsEnabled"] is not enabled:
                alarm.settings = {**alarm.settings, "ActionsEnabled": enabled}
                self._book.save(alarm)
                self._history.configured(alarm, "Updated", clock.now())

    @our_reading("The state lasts until the alarm's next evaluation, at most a minute.")
    async def set_alarm_state(self, **parameters: Any) -> None:
        """Put an alarm into a state for a test; raises AwsError."""
        alarm = self._book.find(parameters["AlarmName"])
        if alarm is None:
            raise _not_found()
        reason, data = parameters["StateReason"], parameters.get("StateReasonData", "")
        require(len(reason) <= _MAX_REASON, "StateReason must not exceed 1023 characters")
        require(len(data) <= _MAX_REASON_DATA, "StateReasonData must not exceed 4000 characters")
        if data and not _is_json(data):
            raise AwsError("InvalidFormat", "StateReasonData is not valid JSON")
        value = parameters["StateValue"]
        require(value in list(State), f"StateValue must be one of {', '.join(State)}")
        self._transitions.move(alarm, Condition(State(value), reason, data), clock.now())

    # -- questions -------------------------------------------------------------------------------

    async def describe_alarms(self, **parameters: Any) -> dict[str, Any]:
        """Alarms by name, type, state, action or kinship, a page at a time; raises AwsError."""
        if name := parameters.get("ChildrenOfAlarmName"):
            views.only(parameters, "ChildrenOfAlarmName")
            found = self._book.children(self._existing(name, COMPOSITE))
            return self._described(found, parameters, with_state=True)
        if name := parameters.get("ParentsOfAlarmName"):
            views.only(parameters, "ParentsOfAlarmName")
            return self._described(self._book.parents(self._existing(name)), parameters)
        matches = views.selected(parameters)
        sent, more = views.page([alarm for alarm in self._book if matches(alarm)], parameters)
        return {
            "MetricAlarms": [views.alarm(each) for each in sent if each.kind == METRIC],
            "CompositeAlarms": [views.alarm(each) for each in sent if each.kind == COMPOSITE],
            **more,
        }

    def _described(
        self, found: list[Alarm], parameters: dict[str, Any], *, with_state: bool = False
    ) -> dict[str, Any]:
        sent, more = views.page(found, parameters)
        told = [(each.kind, views.brief(each, with_state=with_state)) for each in sent]
        return {
            "MetricAlarms": [brief for kind, brief in told if kind == METRIC],
            "CompositeAlarms": [brief for kind, brief in told if kind == COMPOSITE],
            **more,
        }

    def _existing(self, name: str, kind: str | None = None) -> Alarm:
        alarm = self._book.find(name)
        if alarm is None or kind not in {None, alarm.kind}:
            raise invalid(f"The alarm {name} does not exist or is of another type")
        return alarm

    async def describe_alarms_for_metric(self, **parameters: Any) -> dict[str, Any]:
        """The metric alarms on exactly that metric; those on expressions are not told."""
        exact = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Unit")
        asked = {key: parameters[key] for key in exact if parameters.get(key) is not None}
        dimensions = _dimensions(parameters.get("Dimensions"))
        found = [
            alarm
            for alarm in self._book
            if alarm.kind == METRIC
            and all(alarm.settings.get(key) == value for key, value in asked.items())
            and _dimensions(alarm.settings["Dimensions"]) == dimensions
        ]
        return {"MetricAlarms": [views.alarm(alarm) for alarm in found]}

    @simplified("The newest 1,000 items of the account are kept, for 30 days.")
    async def describe_alarm_history(self, **parameters: Any) -> dict[str, Any]:
        """History items by alarm, type and date, newest first unless asked; raises AwsError."""
        kinds, name = views.types(parameters), parameters.get("AlarmName")
        require(
            parameters.get("AlarmContributorId") is None, "Alarm contributors are not supported."
        )
        of_type = parameters.get("HistoryItemType")
        found = [
            entry["item"]
            for entry in self._history
            if entry["item"]["AlarmType"] in kinds
            and name in {None, entry["item"]["AlarmName"]}
            and of_type in {None, entry["item"]["HistoryItemType"]}
            and _within(entry["item"]["Timestamp"], parameters)
        ]
        if parameters.get("ScanBy") != "TimestampAscending":
            found.reverse()
        sent, more = views.page(found, parameters)
        return {"AlarmHistoryItems": list(sent), **more}

    # -- tags ------------------------------------------------------------------------------------

    async def tag_resource(self, *, ResourceARN: str, Tags: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        """Add tags to an alarm; raises AwsError."""
        alarm = self._tagged(ResourceARN)
        given = {tag["Key"]: tag["Value"] for tag in Tags}
        if len(alarm.tags | given) > definition.MAX_TAGS:
            raise AwsError("InvalidParameterValue", "An alarm must not have more than 50 tags")
        alarm.tags |= given
        self._book.save(alarm)
        return {}

    async def untag_resource(self, *, ResourceARN: str, TagKeys: list[str]) -> dict[str, Any]:  # noqa: N803
        """Take tags from an alarm; raises AwsError."""
        alarm = self._tagged(ResourceARN)
        alarm.tags = {key: value for key, value in alarm.tags.items() if key not in TagKeys}
        self._book.save(alarm)
        return {}

    async def list_tags_for_resource(self, *, ResourceARN: str) -> dict[str, Any]:  # noqa: N803
        """The tags of an alarm; raises AwsError."""
        tags = self._tagged(ResourceARN).tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _tagged(self, arn: str) -> Alarm:
        alarm = self._book.find(arn) if ":alarm:" in arn else None
        if alarm is None:
            raise AwsError("ResourceNotFoundException", f"Unknown resource {arn}", 404)
        return alarm


def _not_found() -> AwsError:
    return AwsError("ResourceNotFound", "The named resource does not exist.", 404)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _dimensions(given: Sequence[dict[str, str]] | None) -> dict[str, str]:
    return {each["Name"]: each["Value"] for each in given or ()}


def _within(at: datetime, parameters: dict[str, Any]) -> bool:
    start, end = parameters.get("StartDate"), parameters.get("EndDate")
    return (start is None or at >= start) and (end is None or at <= end)
