"""ECS's operations on the tags of its resources."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.ecs.model import Cluster, Service, Task, TaskDefinition
from sandbox.ecs.part import Answer, Part, tag_mapping
from sandbox.ecs.validation import refuse
from sandbox.ecs.views import tag_list
from sandbox.errors import AwsError

MOST_TAGS = 50
Tagged = Cluster | Service | TaskDefinition | Task


class Tags(Part):
    """Tags of clusters, services, task definitions and tasks."""

    def tag_resource(self, resourceArn: str, tags: Sequence[Mapping[str, str]]) -> Answer:
        """Set tags; others stay. Raises ResourceNotFound…, InvalidParameter… or LimitExceeded…"""
        found = self._resource(resourceArn, "ResourceNotFoundException")
        new = tag_mapping(tags)
        if any(key.lower().startswith("aws:") or not 1 <= len(key) <= 128 for key in new):
            raise refuse("Tag keys have 1 to 128 characters and don't begin with aws:.")
        if len(found.tags | new) > MOST_TAGS:
            message = f"A resource can have at most {MOST_TAGS} tags."
            raise AwsError("LimitExceededException", message)
        found.tags = found.tags | new
        self.account.save(found)
        return {}

    def untag_resource(self, resourceArn: str, tagKeys: Sequence[str]) -> Answer:
        """Remove tags by key; raises ResourceNotFoundException."""
        found = self._resource(resourceArn, "ResourceNotFoundException")
        found.tags = {key: value for key, value in found.tags.items() if key not in tagKeys}
        self.account.save(found)
        return {}

    def list_tags_for_resource(self, resourceArn: str) -> Answer:
        """Tags of a resource; raises InvalidParameterException."""
        return {"tags": tag_list(self._resource(resourceArn, "InvalidParameterException").tags)}

    def _resource(self, arn: str, error: str) -> Tagged:
        shelves: tuple[Mapping[str, Any], ...] = (
            self.account.clusters,
            self.account.services,
            self.account.task_definitions,
            self.account.tasks,
        )
        for shelf in shelves:
            if arn in shelf:
                found: Tagged = shelf[arn]
                return found
        raise AwsError(error, "The specified resource was not found.")
