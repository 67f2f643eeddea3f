"""StateReason and StateReasonData, worded as CloudWatch words them.

Sources: the examples of the CloudWatch user guide ("Alarm events and EventBridge", "Acting on alarm
changes"), the AWS CLI's `describe-alarms` and `describe-alarm-history` examples, and alarm messages
people have published.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.alarms.evaluation import Outcome, Rule, State, Treatment, breaches

INITIAL = "Unchecked: Initial alarm creation"
MAX_DATA = 4000
_LISTED = 5
_COMPARED = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
_FILLED = {Treatment.BREACHING: "Breaching", Treatment.NOT_BREACHING: "NonBreaching"}


@dataclass(frozen=True)
class Datapoint:
    """One period: when it began (seconds since 1970), its value, None without data, its samples."""

    at: float
    value: float | None = None
    samples: float | None = None


@dataclass(frozen=True)
class Watched:
    """What the alarm compares. `out_of` says that DatapointsToAlarm was given."""

    rule: Rule
    comparison: str
    threshold: float
    period: int
    statistic: str | None = None
    unit: str | None = None
    out_of: bool = False


def stamp(moment: datetime) -> str:
    """`2024-10-26T18:59:00.000+0000`, as in alarm messages and history."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}+0000"


def number(value: float) -> str:
    """A double as Java writes it: `3.0`, `1.50755950592E10`."""
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(float(value))
    mantissa, exponent = f"{value:.16e}".split("e")
    for digits in range(1, 17):
        if float(f"{value:.{digits}e}") == value:
            mantissa, exponent = f"{value:.{digits}e}".split("e")
            break
    return f"{mantissa}E{int(exponent)}"


def count(how_many: int, thing: str) -> str:
    """`1 datapoint`, `2 datapoints`, `no datapoints`."""
    return f"{how_many or 'no'} {thing}{'' if how_many == 1 else 's'}"


def explain(outcome: Outcome, points: Sequence[Datapoint], watched: Watched) -> str:
    """The StateReason of a new state; `outcome.state` is not None."""
    if outcome.state is State.INSUFFICIENT_DATA:
        return f"Insufficient Data: {_were(outcome.filled, 'datapoint')} unknown."
    decisive = _decisive(outcome, points, watched)
    if decisive:
        text = _crossed(decisive, outcome, watched)
    else:
        received = _were(len(outcome.real), "datapoint")
        text = f"{received} received for {count(watched.rule.periods, 'period')}"
    treatment = _FILLED.get(watched.rule.treatment)
    if outcome.filled and treatment:
        text += f" and {_were(outcome.filled, 'missing datapoint')} treated as [{treatment}]"
    return f"Threshold Crossed: {text}{_listed(decisive, outcome, watched)}."


def _were(how_many: int, thing: str) -> str:
    return f"{count(how_many, thing)} {'was' if how_many == 1 else 'were'}"


def _decisive(outcome: Outcome, points: Sequence[Datapoint], watched: Watched) -> list[Datapoint]:
    """The evaluated points that speak for the new state, newest first."""
    wanted = outcome.state is State.ALARM
    evaluated = [points[position] for position in outcome.real]
    return [
        point
        for point in evaluated
        if breaches(point.value, watched.comparison, watched.threshold) is wanted
    ]


def _crossed(decisive: list[Datapoint], outcome: Outcome, watched: Watched) -> str:
    """`3 out of the last 3 datapoints [1.0 (…), …] were greater than the threshold (0.5)`."""
    number_of = len(decisive)
    if watched.out_of:
        subject = f"{number_of} out of the last {watched.rule.periods} datapoints"
    else:
        subject = count(number_of, "datapoint")
    if number_of < _LISTED:
        subject += f" [{_values(decisive)}]"
    verb = "was" if number_of == 1 else "were"
    negated = "" if outcome.state is State.ALARM else "not "
    compared = _COMPARED[watched.comparison]
    return f"{subject} {verb} {negated}{compared} the threshold ({number(watched.threshold)})"


def _values(points: list[Datapoint]) -> str:
    return ", ".join(
        f"{number(point.value or 0.0)} ({datetime.fromtimestamp(point.at, UTC):%d/%m/%y %H:%M:%S})"
        for point in points[:_LISTED]
    )


def _listed(decisive: list[Datapoint], outcome: Outcome, watched: Watched) -> str:
    """The newest of many points, and for M of N how many the way back and forth takes."""
    many = len(decisive) >= _LISTED
    text = (
        f". The most recent datapoints which crossed the threshold: [{_values(decisive)}]"
        if many
        else ""
    )
    if not watched.out_of or not decisive:
        return text
    if outcome.state is State.ALARM:
        least, change = watched.rule.needed, "OK -> ALARM"
    else:
        least, change = watched.rule.periods - watched.rule.needed + 1, "ALARM -> OK"
    return f"{text} (minimum {count(least, 'datapoint')} for {change} transition)"


def data(
    outcome: Outcome, points: Sequence[Datapoint], watched: Watched, asked_at: datetime
) -> str:
    """StateReasonData: the evaluated points as JSON, at most 4,000 characters."""
    evaluated = _evaluated(outcome, points)
    real = [point for point in evaluated if point.value is not None]
    found: dict[str, Any] = {"version": "1.0", "queryDate": stamp(asked_at)}
    if real:
        found["startDate"] = stamp(datetime.fromtimestamp(real[-1].at, UTC))
    if watched.unit:
        found["unit"] = watched.unit
    if watched.statistic:
        found["statistic"] = watched.statistic
    found["period"] = watched.period
    found["recentDatapoints"] = [point.value for point in reversed(real)]
    found["threshold"] = watched.threshold
    found["evaluatedDatapoints"] = [_as_json(point) for point in evaluated]
    return _fitting(found)


def _evaluated(outcome: Outcome, points: Sequence[Datapoint]) -> list[Datapoint]:
    """The real points that counted and the newest missing ones that were filled in."""
    missing = [i for i in range(len(points) - 1, -1, -1) if points[i].value is None]
    positions = sorted({*outcome.real, *missing[: outcome.filled]}, reverse=True)
    return [points[position] for position in positions]


def _as_json(point: Datapoint) -> dict[str, Any]:
    found: dict[str, Any] = {"timestamp": stamp(datetime.fromtimestamp(point.at, UTC))}
    if point.value is not None and point.samples is not None:
        found["sampleCount"] = point.samples
    if point.value is not None:
        found["value"] = point.value
    return found


def _fitting(found: dict[str, Any]) -> str:
    """As JSON; the older half of the points is left out until it fits."""
    while len(text := compact(found)) > MAX_DATA:
        evaluated, recent = found["evaluatedDatapoints"], found["recentDatapoints"]
        found["evaluatedDatapoints"] = evaluated[: len(evaluated) // 2]
        if not evaluated:
            found["recentDatapoints"] = recent[-(len(recent) // 2) :]
    return text


def compact(value: object) -> str:
    """JSON without spaces, as CloudWatch writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
