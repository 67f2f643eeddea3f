"""Alarms over real metrics in this process, with a clock that the test moves."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from sandbox import clock
from sandbox.alarms.actions import Actions
from sandbox.alarms.book import Book
from sandbox.alarms.history import History
from sandbox.alarms.service import Alarms
from sandbox.alarms.transitions import Transitions
from sandbox.alarms.watch import Watch
from sandbox.cloudwatch.service import CloudWatch
from sandbox.errors import AwsError
from sandbox.state import State as Store

# Late in a minute: the one before has been published, whatever the second of an alarm's turn is.
START = datetime(2026, 11, 22, 12, 0, 59, tzinfo=UTC)
TOPIC = "arn:aws:sns:us-east-1:123456789012:oncall"
BROKEN_TOPIC = "arn:aws:sns:us-east-1:123456789012:broken"
POLICY = "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:1:policyName/cpu"
JOBS = {"Namespace": "News", "MetricName": "Jobs", "Statistic": "Sum", "Period": 60}
BUSY = {
    **JOBS,
    "AlarmName": "busy",
    "ComparisonOperator": "GreaterThanThreshold",
    "Threshold": 5.0,
    "EvaluationPeriods": 1,
}


class World:
    """One account's alarms; `told` are the events that were executed."""

    def __init__(self, home, monkeypatch):
        self.now = START
        self.told = []
        self._coming = []
        monkeypatch.setattr(clock, "time", self._time)
        self._home = home
        self._stores = []
        self.cloudwatch = CloudWatch(home, START - timedelta(hours=2))
        self.restart()

    def restart(self):
        """Build everything anew from the file, which nobody had the time to close."""
        self.store = Store(self._home / "state.sqlite")
        self._stores.append(self.store)
        self.book, self.history = Book(self.store), History(self.store)
        actions = Actions(self.history)
        self.transitions = Transitions(self.book, self.history, actions, self._coming.append)
        self.alarms = Alarms(
            book=self.book,
            history=self.history,
            actions=actions,
            transitions=self.transitions,
            cloudwatch=self.cloudwatch,
        )
        self.watch = Watch(self.book, self.cloudwatch, self.transitions)
        self.alarms.on_action("arn:aws:sns:", self._tell)
        self.alarms.on_action("arn:aws:autoscaling:", self._tell)

    def _time(self):
        return self.now.timestamp()

    def close(self):
        self.cloudwatch.close()
        for store in self._stores:
            store.close()

    async def _tell(self, event):
        if event.action == BROKEN_TOPIC:
            raise AwsError("NotFound", "Topic does not exist", 404)
        self.told.append(event)
        return event.message

    def call(self, operation, **parameters):
        """An operation, and the actions it leads to."""
        answer = asyncio.run(getattr(self.alarms, operation)(**parameters))
        self._act()
        return answer

    def put(self, **changed):
        self.call("put_metric_alarm", **{**BUSY, **changed})

    def put_composite(self, name, rule, **more):
        self.call("put_composite_alarm", AlarmName=name, AlarmRule=rule, **more)

    def set_state(self, name, value):
        self.call("set_alarm_state", AlarmName=name, StateValue=value, StateReason="test")

    def publish(self, *values, **datum):
        """Values of the current minute."""
        stamp = self.now.replace(second=10)
        kept = {"MetricName": "Jobs", "Timestamp": stamp, "Values": list(values), **datum}
        self.cloudwatch.put_metric_data(Namespace="News", MetricData=[kept])

    def minute(self, *values):
        """A minute passes in which these values were published; then everything is evaluated."""
        if values:
            self.publish(*values)
        self.now += timedelta(minutes=1)
        self.evaluate()

    def minutes(self, *each):
        for value in each:
            self.minute(*(() if value is None else (value,)))

    def evaluate(self):
        asyncio.run(self.watch.round(self.now.timestamp()))
        self._act()

    def _act(self):
        while self._coming:
            asyncio.run(self._coming.pop(0))

    def alarm(self, name="busy"):
        answer = self.call(
            "describe_alarms", AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        return (answer["MetricAlarms"] + answer["CompositeAlarms"])[0]

    def state(self, name="busy"):
        return self.alarm(name)["StateValue"]

    def items(self, name="busy", **filters):
        answer = self.call(
            "describe_alarm_history",
            AlarmName=name,
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            **{"ScanBy": "TimestampAscending", **filters},
        )
        return answer["AlarmHistoryItems"]
