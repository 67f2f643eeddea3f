"""ECS's operations on service deployments and revisions."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sandbox.ecs.model import ENDED, IN_FLIGHT
from sandbox.ecs.pages import page
from sandbox.ecs.part import Answer, Part, missing
from sandbox.ecs.validation import one_of, refuse
from sandbox.honesty import our_reading, simplified

STATUSES = (*IN_FLIGHT, *ENDED)


class ServiceDeployments(Part):
    """Service deployments and revisions."""

    def list_service_deployments(
        self,
        service: str,
        cluster: str | None = None,
        status: Sequence[str] = (),
        createdAt: Mapping[str, datetime] | None = None,
        nextToken: str | None = None,
        maxResults: int | None = None,
    ) -> Answer:
        """Newest first, 20 a page unless asked for another number (at most 100)."""
        owner = self.account.service(cluster, service)
        for each in status:
            one_of("status", each, STATUSES)
        window = createdAt or {}
        chosen = [
            d
            for d in self.account.kept_deployments().values()
            if d.service_arn == owner.arn
            and self.visible(d)
            and (not status or d.status in status)
            and ("after" not in window or d.created_at >= window["after"])
            and ("before" not in window or d.created_at <= window["before"])
        ]
        chosen.sort(key=lambda d: d.created_at, reverse=True)
        asked = {"deployments of": owner.arn, "status": list(status), "createdAt": dict(window)}
        shown, more = page(chosen, nextToken, maxResults, of=asked, default=20, most=100)
        return {"serviceDeployments": [self.views.brief(d) for d in shown], **more}

    def describe_service_deployments(self, serviceDeploymentArns: Sequence[str]) -> Answer:
        """At most 20 deployments by ARN; unknown ones as failures MISSING."""
        known, failures = _sort_out(serviceDeploymentArns, self.account.kept_deployments())
        return {
            "serviceDeployments": [self.views.deployment(d) for d in known],
            "failures": failures,
        }

    def describe_service_revisions(self, serviceRevisionArns: Sequence[str]) -> Answer:
        """At most 20 revisions by ARN; unknown ones as failures MISSING."""
        known, failures = _sort_out(serviceRevisionArns, self.account.revisions)
        return {"serviceRevisions": [self.views.revision(r) for r in known], "failures": failures}

    @our_reading(
        "A hook that is unknown, answered or of another deployment is refused with "
        "InvalidParameterException."
    )
    def continue_service_deployment(
        self, serviceDeploymentArn: str, hookId: str, action: str = "CONTINUE"
    ) -> Answer:
        """Answer a waiting PAUSE hook with CONTINUE or ROLLBACK."""
        deployment = self.account.deployment(serviceDeploymentArn)
        if action not in ("CONTINUE", "ROLLBACK"):
            raise refuse(f"The action {action} is not supported.")
        self.controller.resume(deployment, hookId, action)
        return {"serviceDeploymentArn": deployment.arn}

    @our_reading("A deployment that is over is refused with ConflictException.")
    @simplified("ABORT is in the model but not documented as valid, and refused.")
    def stop_service_deployment(
        self, serviceDeploymentArn: str, stopType: str = "ROLLBACK"
    ) -> Answer:
        """Roll a deployment back; only ROLLBACK is supported, as on AWS."""
        deployment = self.account.deployment(serviceDeploymentArn)
        if stopType != "ROLLBACK":
            raise refuse(f"The stop type {stopType} is not supported.")
        self.controller.stop(deployment)
        return {"serviceDeploymentArn": deployment.arn}


def _sort_out(arns: Sequence[str], shelf: Mapping[str, Any]) -> tuple[list[Any], list[Answer]]:
    if not 1 <= len(arns) <= 20:
        raise refuse("The list must have between 1 and 20 ARNs.")
    known = [shelf[arn] for arn in arns if arn in shelf]
    return known, [missing(arn) for arn in arns if arn not in shelf]
