"""Operations on scaling policies."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox import clock
from sandbox.alarms.model import alarm_arn
from sandbox.autoscaling import configurations, metrics
from sandbox.autoscaling.errors import check_enum, invalid, not_found
from sandbox.autoscaling.model import NAMESPACE, STEPS, TRACKING, Policy, Target, arn
from sandbox.autoscaling.operations import Answer, listed, page, where
from sandbox.autoscaling.targets import Targets, check_count
from sandbox.errors import AwsError
from sandbox.honesty import our_reading, simplified

MAX_POLICIES = 50
_KINDS = ("PredictiveScaling", STEPS, TRACKING)


class Policies(Targets):
    """Scaling policies and the alarms of target tracking."""

    @simplified("PredictiveScaling and metrics of 20 seconds are refused.")
    @our_reading("Scale-in takes ⌈running × metric / target⌉, by the highest of 15 data points.")
    @our_reading("Changing a target tracking policy replaces its alarms by new ones.")
    @our_reading("With DisableScaleIn there is no AlarmLow.")
    @our_reading(
        "ALBRequestCountPerTarget is accepted for a blue/green service, which the ECS guide says "
        "is not supported: after a switch its target group has no requests and nothing is scaled."
    )
    async def put_scaling_policy(self, **parameters: Any) -> Answer:
        """Create or change a policy; target tracking makes its alarms. Raises AwsError."""
        async with self.changing:
            return await self._put(parameters)

    async def _put(self, parameters: Mapping[str, Any]) -> Answer:
        target = self.target(parameters)
        known = self.book.policies.get((target.resource, parameters["PolicyName"]))
        kind = self._kind(known, parameters)
        configuration = self._configuration(kind, known, parameters)
        self._check_unique(target, parameters["PolicyName"], kind, configuration)
        if known is None:
            check_count(len(self.book.policies_of(target.resource)), MAX_POLICIES, "policies")
        policy = known or _new(target, parameters["PolicyName"], kind)
        old = policy.alarms
        policy = replace(policy, configuration=configuration)
        if kind == TRACKING:
            policy.alarms = await self._make_alarms(policy)
        self.book.save(policy)
        # Not before: kill -9 may leave a pair too many, which `heal` finds, but never none.
        await self.forget_alarms(old)
        return {"PolicyARN": policy.arn, "Alarms": await self._alarms_of(policy)}

    def _kind(self, known: Policy | None, parameters: Mapping[str, Any]) -> str:
        kind = str(parameters.get("PolicyType") or (known.kind if known else STEPS))
        check_enum(kind, "policyType", _KINDS)
        if known and kind != known.kind:
            raise invalid("The type of an existing scaling policy cannot be changed")
        if kind not in {STEPS, TRACKING}:
            raise invalid(f"PolicyType {kind} is not supported for this scalable target")
        return kind

    def _configuration(
        self, kind: str, known: Policy | None, parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The configuration as given, or the known one; raises ValidationException."""
        name = f"{kind}PolicyConfiguration"
        others = {f"{other}PolicyConfiguration" for other in _KINDS} - {name}
        if others & parameters.keys():
            raise invalid(f"Only {name} can be specified for policy type {kind}")
        given = parameters.get(name) or (known.configuration if known else None)
        if given is None:
            raise invalid(f"{name} is required for policy type {kind}")
        service = self.fulfilment.service(parameters["ResourceId"])
        if kind == STEPS:
            return configurations.steps(given)
        return configurations.tracking(given, service, self.balancers)

    def _check_unique(
        self, target: Target, name: str, kind: str, configuration: Mapping[str, Any]
    ) -> None:
        metric = configurations.metric(configuration)
        for other in self.book.policies_of(target.resource):
            same = kind == other.kind == TRACKING and other.name != name
            if same and configurations.metric(other.configuration) == metric:
                raise invalid(
                    "Only one TargetTrackingScaling policy for a given metric specification is "
                    "allowed."
                )

    async def heal(self) -> None:
        """Delete the alarms of target tracking that kill -9 left without a policy."""
        kept = {name for policy in self.book.policies.values() for name in policy.alarms}
        made = self.alarms.with_action(metrics.CREATED_BY)
        await self.forget_alarms([name for name in made if name not in kept])

    async def _make_alarms(self, policy: Policy) -> list[str]:
        """The names of the alarms that watch the policy's metric from now on.

        Raises ValidationException when CloudWatch does not take them; all stays as it was then.
        """
        wanted = metrics.alarms(policy)
        try:
            for alarm in wanted:
                await self.alarms.put(**alarm)
        except AwsError as error:
            raise invalid(error.message) from error
        return [alarm["AlarmName"] for alarm in wanted]

    async def _alarms_of(self, policy: Policy) -> list[dict[str, str]]:
        """The policy's own alarms, or those that a step policy is an action of."""
        if policy.kind == TRACKING:
            names = await self.existing(policy.alarms)
        else:
            answer = await self.alarms.describe_alarms(ActionPrefix=policy.arn)
            names = [alarm["AlarmName"] for alarm in answer["MetricAlarms"]]
        return [{"AlarmName": name, "AlarmARN": alarm_arn(name)} for name in names]

    @our_reading("An alarm that a composite alarm follows stays when its policy goes.")
    async def delete_scaling_policy(self, PolicyName: str, **parameters: Any) -> Answer:
        """Delete a policy and, of target tracking, its alarms; raises ObjectNotFoundException."""
        async with self.changing:
            policy = self.book.policies.get((parameters["ResourceId"], PolicyName))
            if policy is None:
                place = where(parameters)
                raise not_found(f"No scaling policy found for {place}, policy name: {PolicyName}")
            await self.drop(policy)
        return {}

    async def describe_scaling_policies(self, **parameters: Any) -> Answer:
        """Policies by target and name, 10 a page; raises AwsError."""
        resource, names = parameters.get("ResourceId"), parameters.get("PolicyNames")
        served = listed(parameters, resource)
        found = [
            policy
            for policy in self.book.policies.values()
            if resource in {None, policy.resource} and (not names or policy.name in names)
        ]
        sent, more = page(found if served else [], parameters, most=10)
        return {
            "ScalingPolicies": [each.view(await self._alarms_of(each)) for each in sent],
            **more,
        }

    @simplified("There is no predictive scaling, so no policy has a forecast.")
    def get_predictive_scaling_forecast(self, PolicyName: str, **parameters: Any) -> Answer:
        """Always ValidationException: no policy of this account is a predictive one."""
        raise invalid(
            f"No predictive scaling policy found for {where(parameters)}, policy name: {PolicyName}"
        )


def _new(target: Target, name: str, kind: str) -> Policy:
    place = f"resource/{NAMESPACE}/{target.resource}:policyName/{name}"
    return Policy(
        resource=target.resource,
        name=name,
        kind=kind,
        arn=arn("autoscaling", f"scalingPolicy:{uuid.uuid4()}:{place}"),
        configuration={},
        created_at=clock.now(),
    )
