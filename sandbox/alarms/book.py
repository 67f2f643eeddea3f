"""All alarms of the account, kept in the state store."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from sandbox.alarms import rules
from sandbox.alarms.evaluation import State
from sandbox.alarms.model import COMPOSITE, METRIC, Alarm, alarm_name
from sandbox.state import State as Store

_KIND = "alarm"
_parse = lru_cache(maxsize=512)(rules.parse)


class Book:
    """Alarms by name. What is changed in an alarm lasts once it is saved."""

    def __init__(self, store: Store) -> None:
        self._store = store
        found = (Alarm.from_document(document) for document in store.all(_KIND))
        self._alarms = {alarm.name: alarm for alarm in found}

    def __iter__(self) -> Iterator[Alarm]:
        """Every alarm by name; the alarms may change meanwhile."""
        return iter([self._alarms[name] for name in sorted(self._alarms)])

    def find(self, reference: str) -> Alarm | None:
        """The alarm of that name or ARN."""
        return self._alarms.get(alarm_name(reference))

    def metric_alarms(self) -> list[Alarm]:
        """Those that are evaluated by the minute."""
        return [alarm for alarm in self._alarms.values() if alarm.kind == METRIC]

    def composites(self) -> list[Alarm]:
        """Those that follow other alarms."""
        return [alarm for alarm in self._alarms.values() if alarm.kind == COMPOSITE]

    def save(self, alarm: Alarm) -> None:
        """Keep the alarm as it is now."""
        self._alarms[alarm.name] = alarm
        self._store.put(_KIND, alarm.name, alarm.document())

    def remove(self, alarm: Alarm) -> None:
        """Forget the alarm."""
        del self._alarms[alarm.name]
        self._store.delete(_KIND, alarm.name)

    def rule(self, composite: Alarm) -> rules.Rule:
        """What the composite alarm follows."""
        return _parse(composite.settings["AlarmRule"])

    def children(self, composite: Alarm) -> list[Alarm]:
        """The alarms its rule names, in the rule's order."""
        found = (self.find(reference) for reference in self.rule(composite).children)
        return [alarm for alarm in found if alarm is not None]

    def suppressor(self, alarm: Alarm) -> Alarm | None:
        """The alarm that keeps this one's actions back while it rings."""
        reference = alarm.settings.get("ActionsSuppressor")
        return self.find(reference) if reference else None

    def parents(self, alarm: Alarm) -> list[Alarm]:
        """The composite alarms whose rule names this one."""
        return [each for each in self.composites() if alarm in self.children(each)]

    def suppressed(self, alarm: Alarm) -> list[Alarm]:
        """The composite alarms whose actions this one suppresses."""
        return [each for each in self.composites() if self.suppressor(each) is alarm]

    def holds(self, composite: Alarm) -> bool:
        """Whether the rule is true now. An alarm that is gone has no data."""

        def state(reference: str) -> State:
            child = self.find(reference)
            return child.state if child else State.INSUFFICIENT_DATA

        return self.rule(composite).holds(state)

    def in_cycle(self, composite: Alarm) -> bool:
        """Whether the composite alarm follows itself; CloudWatch does not evaluate it then."""
        seen: set[str] = set()
        ahead = [composite]
        while ahead:
            for child in self.children(ahead.pop()):
                if child is composite:
                    return True
                if child.kind == COMPOSITE and child.name not in seen:
                    seen.add(child.name)
                    ahead.append(child)
        return False
