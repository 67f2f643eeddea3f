"""PutMetricAlarm's parameters, checked as CloudWatch checks them, and what they mean."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.alarms.evaluation import COMPARISONS, Rule, Treatment
from sandbox.alarms.reasons import Watched
from sandbox.cloudwatch.queries import is_statistic
from sandbox.errors import AwsError
from sandbox.names import ACCOUNT, REGION

MAX_ACTIONS, MAX_TAGS, MAX_DIMENSIONS, MAX_METRICS = 5, 50, 30, 10
DAY, WEEK, HOUR = 86_400, 604_800, 3_600
_HIGH_RESOLUTION = (10, 20, 30)
_ACTION_LISTS = ("OKActions", "AlarmActions", "InsufficientDataActions")
_SINGLE = (
    *("MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic"),
    "ExtendedStatistic",
)
# Members of the model that the sandbox does not serve, with what they are for.
_UNSUPPORTED = {
    "ThresholdMetricId": "Alarms based on anomaly detection models are not supported.",
    "EvaluationCriteria": "Alarms based on PromQL queries are not supported.",
    "EvaluationInterval": "EvaluationInterval is for alarms that use EvaluationCriteria.",
    "WarmUpConfiguration": "WarmUpConfiguration is not supported.",
    "ActionConfiguration": "ActionConfiguration is not supported.",
}


def invalid(message: str) -> AwsError:
    """CloudWatch's error for parameters that make no sense."""
    return AwsError("ValidationError", message)


def require(holds: object, message: str) -> None:
    """Raise `invalid(message)` unless it holds."""
    if not holds:
        raise invalid(message)


def common(parameters: Mapping[str, Any], *, refused_actions: Sequence[str] = ()) -> dict[str, Any]:
    """What metric and composite alarms share, with defaults; raises AwsError."""
    name, description = parameters["AlarmName"], parameters.get("AlarmDescription", "")
    require(1 <= len(name) <= 255, "AlarmName must have between 1 and 255 characters")
    require(name.isprintable(), "AlarmName must not contain control characters")
    require(len(description) <= 1024, "AlarmDescription must not exceed 1024 characters")
    settings = dict(parameters) | {"ActionsEnabled": parameters.get("ActionsEnabled", True)}
    for key in _ACTION_LISTS:
        settings[key] = list(parameters.get(key) or [])
        _check_actions(key, settings[key], refused_actions)
    settings.pop("Tags", None)
    return settings


def _check_actions(key: str, arns: list[str], refused: Sequence[str]) -> None:
    require(len(arns) <= MAX_ACTIONS, f"{key} must not contain more than {MAX_ACTIONS} actions")
    for arn in arns:
        parts = arn.split(":", 5)
        require(len(parts) == 6 and parts[:2] == ["arn", "aws"], f"Invalid arn syntax: {arn}")
        region, account = parts[3], parts[4]
        require(
            region in {REGION, ""},
            f"Invalid region {region} specified. Only {REGION} is supported.",
        )
        require(account in {ACCOUNT, ""} or parts[2] == "automate", f"Invalid account in {arn}")
        require(parts[2] not in refused, f"Invalid action for a composite alarm: {arn}")


def tags(given: Sequence[Mapping[str, str]] | None) -> dict[str, str]:
    """Tags by key; raises AwsError for more than 50."""
    found = {tag["Key"]: tag["Value"] for tag in given or ()}
    require(len(found) <= MAX_TAGS, f"An alarm must not have more than {MAX_TAGS} tags")
    return found


def metric_alarm(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """PutMetricAlarm's parameters with defaults; raises AwsError ValidationError."""
    settings = common(parameters)
    for key, message in _UNSUPPORTED.items():
        require(parameters.get(key) is None, message)
    require(
        "WallClockWindow" not in (parameters.get("EvaluationWindow") or {}),
        "EvaluationWindow: WallClockWindow is not supported.",
    )
    for check in (_check_comparison, _check_source, _check_counts, _check_options):
        check(settings)
    settings.setdefault("Dimensions", [])
    return settings


def _check_comparison(settings: Mapping[str, Any]) -> None:
    operator = settings.get("ComparisonOperator")
    require(operator is not None, "ComparisonOperator must not be null")
    require(
        operator in COMPARISONS,
        f"{operator} is for alarms based on anomaly detection models, which are not supported.",
    )
    require(settings.get("Threshold") is not None, "Threshold must not be null")
    threshold = settings["Threshold"]
    require(math.isfinite(threshold), f"The value {threshold} for parameter Threshold is invalid.")


def _check_source(settings: Mapping[str, Any]) -> None:
    if settings.get("Metrics"):
        for key in _SINGLE:
            require(settings.get(key) is None, f"{key} should not be set if list of Metrics is set")
        _check_metrics(settings["Metrics"])
        return
    require(settings.get("MetricName"), "MetricName must not be null")
    require(settings.get("Namespace"), "Namespace must not be null")
    given = [key for key in ("Statistic", "ExtendedStatistic") if settings.get(key)]
    require(len(given) == 1, "Either Statistic or ExtendedStatistic must be set, and not both")
    extended = settings.get("ExtendedStatistic")
    require(not extended or is_statistic(extended), f"Invalid statistic: {extended}")
    require(settings.get("Period"), "Period must not be null")
    dimensions = settings.get("Dimensions") or []
    require(len(dimensions) <= MAX_DIMENSIONS, "An alarm takes no more than 30 Dimensions")


def _check_metrics(queries: Sequence[Mapping[str, Any]]) -> None:
    prefix = "Invalid metrics list:"
    returned = [query for query in queries if query.get("ReturnData", True)]
    require(
        len(returned) == 1, f"{prefix} Exactly one element of the metrics list should return data."
    )
    metrics = [query["MetricStat"] for query in queries if query.get("MetricStat")]
    require(
        len(metrics) <= MAX_METRICS, f"{prefix} No more than {MAX_METRICS} metrics are allowed."
    )
    periods = {stat["Period"] for stat in metrics}
    require(len(periods) <= 1, f"{prefix} All metrics must use the same period.")
    require(
        periods or _period_of(queries), f"{prefix} An expression without metrics needs a Period."
    )
    for query in queries:
        account = query.get("AccountId")
        require(account in {None, ACCOUNT}, f"{prefix} AccountId {account} is not supported.")
        insights = (query.get("Expression") or "").lstrip().upper().startswith("SELECT")
        require(not insights, f"{prefix} Metrics Insights queries are not supported.")


def _period_of(queries: Sequence[Mapping[str, Any]]) -> int:
    """The period of the metrics, or the one given beside an expression; 0 when there is none."""
    metrics = [query["MetricStat"]["Period"] for query in queries if query.get("MetricStat")]
    given = [query["Period"] for query in queries if query.get("Period")]
    return int(next(iter([*metrics, *given]), 0))


def period(settings: Mapping[str, Any]) -> int:
    """Seconds of one data point."""
    return int(settings.get("Period") or _period_of(settings["Metrics"]))


def _check_counts(settings: Mapping[str, Any]) -> None:
    seconds = period(settings)
    require(
        seconds in _HIGH_RESOLUTION or (seconds > 0 and seconds % 60 == 0),
        "Period must be 10, 20, 30 or a multiple of 60",
    )
    periods = settings.get("EvaluationPeriods") or 0
    require(periods >= 1, "EvaluationPeriods must be greater than 0")
    limit, name = (WEEK, "a week") if seconds >= HOUR else (DAY, "a day")
    require(
        periods * seconds <= limit,
        f"Metrics cannot be checked across more than {name} "
        f"(EvaluationPeriods * Period must be <= {limit}).",
    )
    needed = settings.get("DatapointsToAlarm")
    require(needed is None or needed >= 1, "DatapointsToAlarm must be greater than 0")
    require(
        needed is None or needed <= periods,
        "DatapointsToAlarm must be less than or equal to EvaluationPeriods",
    )


def _check_options(settings: Mapping[str, Any]) -> None:
    one_of: dict[str, tuple[str, ...]] = {
        "TreatMissingData": tuple(Treatment),
        "EvaluateLowSampleCountPercentile": ("evaluate", "ignore"),
    }
    for key, words in one_of.items():
        value = settings.get(key)
        require(value is None or value in words, f"{key} must be one of {', '.join(words)}")
    low = settings.get("EvaluateLowSampleCountPercentile")
    require(
        low is None or (settings.get("ExtendedStatistic") or "").startswith("p"),
        "EvaluateLowSampleCountPercentile is only allowed for percentiles",
    )


def watched(settings: Mapping[str, Any]) -> Watched:
    """What a checked metric alarm compares."""
    periods = settings["EvaluationPeriods"]
    return Watched(
        rule=Rule(
            periods=periods,
            needed=settings.get("DatapointsToAlarm") or periods,
            treatment=treatment(settings),
        ),
        comparison=settings["ComparisonOperator"],
        threshold=float(settings["Threshold"]),
        period=period(settings),
        statistic=settings.get("Statistic") or settings.get("ExtendedStatistic"),
        unit=settings.get("Unit"),
        out_of=settings.get("DatapointsToAlarm") is not None,
    )


def treatment(settings: Mapping[str, Any]) -> Treatment:
    """TreatMissingData; AWS/DynamoDB's metrics ignore missing data unless told otherwise."""
    default = "ignore" if settings.get("Namespace") == "AWS/DynamoDB" else "missing"
    return Treatment(settings.get("TreatMissingData") or default)
