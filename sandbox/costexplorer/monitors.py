"""Cost anomaly monitors and the subscriptions to them."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sandbox.costexplorer.expressions import ALL_OPTIONS, parse, refuse
from sandbox.costexplorer.ledger import Ledger, page, size
from sandbox.errors import AwsError
from sandbox.honesty import simplified
from sandbox.names import ACCOUNT
from sandbox.state import State

_MONITOR, _SUBSCRIPTION = "AnomalyMonitor", "AnomalySubscription"
_MOST = 100
_FREQUENCIES = ("DAILY", "IMMEDIATE", "WEEKLY")
_IMPACTS = ("ANOMALY_TOTAL_IMPACT_ABSOLUTE", "ANOMALY_TOTAL_IMPACT_PERCENTAGE")
_DIMENSIONS = ("SERVICE", "LINKED_ACCOUNT")

Answer = dict[str, Any]


class Monitors:
    """What is watched, and who is told; a fresh account has AWS's default of both."""

    def __init__(self, ledger: Ledger, state: State, epoch: datetime) -> None:
        self._ledger = ledger
        self._state = state
        if state.get("CostMonitors", "seeded") is None:
            self._seed(epoch)

    def _seed(self, epoch: datetime) -> None:
        monitor = _arn("anomalymonitor", "default")
        self._put(
            _MONITOR,
            {
                "MonitorArn": monitor,
                "MonitorName": "Default-Services-Monitor",
                "MonitorType": "DIMENSIONAL",
                "MonitorDimension": "SERVICE",
            }
            | self._dates(epoch),
        )
        self._put(
            _SUBSCRIPTION,
            {
                "SubscriptionArn": _arn("anomalysubscription", "default"),
                "AccountId": ACCOUNT,
                "MonitorArnList": [monitor],
                "Subscribers": [{"Address": "news@example.com", "Type": "EMAIL"}],
                "Frequency": "DAILY",
                "SubscriptionName": "Default-Services-Subscription",
                "ThresholdExpression": {
                    "And": [
                        _threshold("ANOMALY_TOTAL_IMPACT_ABSOLUTE", "100"),
                        _threshold("ANOMALY_TOTAL_IMPACT_PERCENTAGE", "40"),
                    ]
                },
            },
        )
        self._state.put("CostMonitors", "seeded", True)

    def chosen(self, arn: str | None) -> list[Answer]:
        """One monitor, or all for None; raises AwsError (UnknownMonitorException)."""
        if arn is not None:
            return [self._monitor(arn)]
        return list(self._state.all(_MONITOR))

    # -- monitors ------------------------------------------------------------------------------

    def get_anomaly_monitors(self, **parameters: Any) -> Answer:
        """Monitors by ARN or all of them, by page; raises AwsError."""
        arns = parameters.get("MonitorArnList")
        found = [self._monitor(arn) for arn in arns] if arns else self.chosen(None)
        rows, more = page(found, parameters, size=size(parameters, _MOST))
        return {"AnomalyMonitors": [self._evaluated(row) for row in rows], **more}

    @simplified("A DIMENSIONAL monitor watches SERVICE or LINKED_ACCOUNT; tags are not stored.")
    def create_anomaly_monitor(
        self,
        AnomalyMonitor: Mapping[str, Any],
        **_: Any,
    ) -> Answer:
        """Watch services, or what an expression selects; raises AwsError."""
        arn = _arn("anomalymonitor", str(uuid.uuid4()))
        _check_monitor(AnomalyMonitor)
        self._put(_MONITOR, {**AnomalyMonitor, "MonitorArn": arn} | self._dates(self._ledger.now()))
        return {"MonitorArn": arn}

    def update_anomaly_monitor(self, MonitorArn: str, MonitorName: str = "") -> Answer:
        """Rename a monitor; raises AwsError (UnknownMonitorException)."""
        monitor = self._monitor(MonitorArn)
        renamed = {"MonitorName": MonitorName or monitor["MonitorName"]}
        self._put(_MONITOR, monitor | renamed | {"LastUpdatedDate": _stamp(self._ledger.now())})
        return {"MonitorArn": MonitorArn}

    def delete_anomaly_monitor(self, MonitorArn: str) -> Answer:
        """Watch no longer; raises AwsError (UnknownMonitorException)."""
        self._monitor(MonitorArn)
        self._state.delete(_MONITOR, MonitorArn)
        return {}

    # -- subscriptions -------------------------------------------------------------------------

    def get_anomaly_subscriptions(self, **parameters: Any) -> Answer:
        """Subscriptions by ARN or monitor, by page; raises AwsError."""
        arns, monitor = parameters.get("SubscriptionArnList"), parameters.get("MonitorArn")
        found = [self._subscription(arn) for arn in arns or ()]
        found = found if arns else list(self._state.all(_SUBSCRIPTION))
        wanted = [each for each in found if monitor in (None, *each["MonitorArnList"])]
        rows, more = page(wanted, parameters, size=size(parameters, _MOST))
        return {"AnomalySubscriptions": list(rows), **more}

    @simplified("Subscriptions are kept; no mail and no SNS message is sent for anomalies.")
    def create_anomaly_subscription(
        self,
        AnomalySubscription: Mapping[str, Any],
        **_: Any,
    ) -> Answer:
        """Subscribe to monitors; raises AwsError."""
        arn = _arn("anomalysubscription", str(uuid.uuid4()))
        whole = {**AnomalySubscription, "SubscriptionArn": arn, "AccountId": ACCOUNT}
        self._check_subscription(whole)
        self._put(_SUBSCRIPTION, whole)
        return {"SubscriptionArn": arn}

    def update_anomaly_subscription(self, SubscriptionArn: str, **changes: Any) -> Answer:
        """Change a subscription; raises AwsError."""
        known = self._subscription(SubscriptionArn)
        if "Threshold" in changes:
            known.pop("ThresholdExpression", None)
        if "ThresholdExpression" in changes:
            known.pop("Threshold", None)
        self._check_subscription(known | changes)
        self._put(_SUBSCRIPTION, known | changes)
        return {"SubscriptionArn": SubscriptionArn}

    def delete_anomaly_subscription(self, SubscriptionArn: str) -> Answer:
        """Unsubscribe; raises AwsError (UnknownSubscriptionException)."""
        self._subscription(SubscriptionArn)
        self._state.delete(_SUBSCRIPTION, SubscriptionArn)
        return {}

    # -- inside --------------------------------------------------------------------------------

    def _check_subscription(self, asked: Mapping[str, Any]) -> None:
        for arn in asked["MonitorArnList"]:
            self._monitor(arn)
        if asked["Frequency"] not in _FREQUENCIES:
            raise refuse(f"Frequency must be one of {', '.join(_FREQUENCIES)}.")
        if ("Threshold" in asked) == ("ThresholdExpression" in asked):
            raise refuse("Exactly one of Threshold and ThresholdExpression must be specified.")
        wanted = "SNS" if asked["Frequency"] == "IMMEDIATE" else "EMAIL"
        if {each.get("Type") for each in asked["Subscribers"]} != {wanted}:
            raise refuse(
                f"Subscribers of a subscription that is {asked['Frequency']} are {wanted}."
            )
        if "ThresholdExpression" in asked:
            _check_threshold(asked["ThresholdExpression"])

    def _monitor(self, arn: str) -> Answer:
        found: Answer | None = self._state.get(_MONITOR, arn)
        if found is None:
            message = "The cost anomaly monitor does not exist for the account."
            raise AwsError("UnknownMonitorException", message)
        return found

    def _subscription(self, arn: str) -> Answer:
        found: Answer | None = self._state.get(_SUBSCRIPTION, arn)
        if found is None:
            message = "The cost anomaly subscription does not exist for the account."
            raise AwsError("UnknownSubscriptionException", message)
        return found

    def _evaluated(self, monitor: Answer) -> Answer:
        return {**monitor, "LastEvaluatedDate": self._ledger.today.isoformat()}

    def _dates(self, at: datetime) -> Answer:
        return {"CreationDate": _stamp(at), "LastUpdatedDate": _stamp(at)}

    def _put(self, kind: str, body: Answer) -> None:
        self._state.put(kind, body.get("SubscriptionArn") or body["MonitorArn"], body)


def _check_monitor(asked: Mapping[str, Any]) -> None:
    kind, dimension = asked["MonitorType"], asked.get("MonitorDimension")
    specification = asked.get("MonitorSpecification")
    if kind == "DIMENSIONAL":
        if dimension not in _DIMENSIONS:
            raise refuse(f"MonitorDimension must be one of {', '.join(_DIMENSIONS)}.")
        if specification is not None:
            raise refuse("A DIMENSIONAL monitor has no MonitorSpecification.")
    elif kind == "CUSTOM":
        if specification is None or dimension is not None:
            raise refuse("A CUSTOM monitor has a MonitorSpecification and no MonitorDimension.")
        parse(specification, ALL_OPTIONS)
    else:
        raise refuse("MonitorType must be DIMENSIONAL or CUSTOM.")


def _check_threshold(expression: Mapping[str, Any]) -> None:
    nested: Sequence[Mapping[str, Any]] = expression.get("And") or expression.get("Or") or ()
    for each in nested:
        _check_threshold(each)
    if nested:
        return
    leaf = expression.get("Dimensions") or {}
    if leaf.get("Key") not in _IMPACTS or leaf.get("MatchOptions") != ["GREATER_THAN_OR_EQUAL"]:
        raise refuse(f"ThresholdExpression compares {' or '.join(_IMPACTS)} GREATER_THAN_OR_EQUAL.")


def _threshold(key: str, value: str) -> Answer:
    options = {"MatchOptions": ["GREATER_THAN_OR_EQUAL"], "Values": [value]}
    return {"Dimensions": {"Key": key, **options}}


def _arn(kind: str, name: str) -> str:
    if name == "default":
        name = str(uuid.UUID(bytes=hashlib.blake2b(kind.encode(), digest_size=16).digest()))
    return f"arn:aws:ce::{ACCOUNT}:{kind}/{name}"


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
