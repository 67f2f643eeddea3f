"""ECS service revisions: what a revision of a service runs, and behind which target group."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aws.ecs.deployments import chunks, reader
from aws.errors import required, rows, translated

OPERATION = "ecs:DescribeServiceRevisions"


@dataclass(frozen=True, slots=True)
class ContainerImage:
    container: str
    image: str
    digest: str


@dataclass(frozen=True, slots=True)
class ServiceRevision:
    """What one revision of a service runs, and on which target groups."""

    arn: str
    task_definition: str
    images: tuple[ContainerImage, ...] = ()
    target_groups: tuple[str, ...] = ()
    created_at: datetime | None = None

    @property
    def target_group(self) -> str:
        """The one that the portal follows; empty without a load balancer."""
        return self.target_groups[0] if self.target_groups else ""


def describe_revisions(arns: Iterable[str]) -> dict[str, ServiceRevision]:
    """Return the service revisions by ARN; one that ECS no longer knows is left out."""
    found: dict[str, ServiceRevision] = {}
    for chunk in chunks(arns):
        with translated(OPERATION):
            answer = reader().describe_service_revisions(serviceRevisionArns=chunk)
        seen = [_revision(row) for row in rows(answer, "serviceRevisions", OPERATION)]
        found |= {revision.arn: revision for revision in seen}
    return found


def _revision(row: Any) -> ServiceRevision:
    resolved = row.get("resolvedConfiguration", {}).get("loadBalancers", [])
    return ServiceRevision(
        arn=required(row, "serviceRevisionArn", OPERATION),
        task_definition=required(row, "taskDefinition", OPERATION),
        images=tuple(
            ContainerImage(
                each.get("containerName", ""), each.get("image", ""), each.get("imageDigest", "")
            )
            for each in row.get("containerImages", [])
        ),
        target_groups=tuple(
            each["targetGroupArn"] for each in resolved if each.get("targetGroupArn")
        ),
        created_at=row.get("createdAt"),
    )
