"""ECS's operations on task definitions."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.ecs import registering, views
from sandbox.ecs.model import TaskDefinition, now
from sandbox.ecs.pages import page
from sandbox.ecs.part import Answer, Part, tag_mapping
from sandbox.ecs.validation import refuse
from sandbox.ecs.views import tag_list
from sandbox.names import ecs_arn, last_part


class TaskDefinitions(Part):
    """Task definitions."""

    def register_task_definition(
        self, family: str, tags: Sequence[Mapping[str, str]] = (), **body: Any
    ) -> Answer:
        """Register the next revision of a family. The image is not looked at, as on AWS.

        Raises ClientException.
        """
        registering.task_definition(family, body)
        revisions = [
            t.revision for t in self.account.task_definitions.values() if t.family == family
        ]
        revision = max(revisions, default=0) + 1
        definition = TaskDefinition(
            arn=ecs_arn("task-definition", f"{family}:{revision}"),
            family=family,
            revision=revision,
            status="ACTIVE",
            registered_at=now(),
            body={**body, **registering.sizes(body)},
            tags=tag_mapping(tags),
        )
        self.account.save(definition)
        return self._shown(definition, ["TAGS"])

    def describe_task_definition(self, taskDefinition: str, include: Sequence[str] = ()) -> Answer:
        """One task definition; raises ClientException."""
        return self._shown(self.account.task_definition(taskDefinition), include)

    def deregister_task_definition(self, taskDefinition: str) -> Answer:
        """Mark a revision INACTIVE; running services keep it."""
        if ":" not in last_part(taskDefinition):
            raise refuse("Missing revision: family:revision or an ARN is required.")
        definition = self.account.task_definition(taskDefinition)
        definition.status, definition.deregistered_at = "INACTIVE", now()
        self.account.save(definition)
        return {"taskDefinition": views.task_definition(definition)}

    def list_task_definition_families(
        self,
        familyPrefix: str = "",
        status: str = "ALL",
        nextToken: str | None = None,
        maxResults: int | None = None,
    ) -> Answer:
        """Families by name; an ACTIVE one has an active revision. Raises InvalidParameter…"""
        if status not in ("ACTIVE", "INACTIVE", "ALL"):
            raise refuse("Status must be ACTIVE, INACTIVE or ALL.")
        known = self.account.task_definitions.values()
        everything = {t.family for t in known if t.family.startswith(familyPrefix)}
        active = {t.family for t in known if t.status == "ACTIVE"}
        chosen = {"ACTIVE": everything & active, "INACTIVE": everything - active}
        families = sorted(chosen.get(status, everything))
        asked = {"families": familyPrefix, "status": status}
        shown, more = page(families, nextToken, maxResults, of=asked, default=100, most=100)
        return {"families": shown, **more}

    def list_task_definitions(
        self,
        familyPrefix: str = "",
        status: str = "ACTIVE",
        sort: str = "ASC",
        nextToken: str | None = None,
        maxResults: int | None = None,
    ) -> Answer:
        """ARNs by family and revision, by page."""
        chosen = [
            t
            for t in self.account.task_definitions.values()
            if t.status == status and familyPrefix in ("", t.family)
        ]
        chosen.sort(key=lambda t: (t.family, t.revision), reverse=sort == "DESC")
        asked = {"task definitions": familyPrefix, "status": status, "sort": sort}
        arns = [t.arn for t in chosen]
        shown, more = page(arns, nextToken, maxResults, of=asked, default=100, most=100)
        return {"taskDefinitionArns": shown, **more}

    def _shown(self, definition: TaskDefinition, include: Sequence[str]) -> Answer:
        answer: Answer = {"taskDefinition": views.task_definition(definition)}
        return answer | ({"tags": tag_list(definition.tags)} if "TAGS" in include else {})
