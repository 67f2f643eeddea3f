"""An ECS that does what a test says, standing in for the adapters of `aws.ecs`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from aws import alarms, ecr, elbv2
from aws.ecr import Image
from aws.ecs import deployments, revisions, stopped_tasks, task_definitions
from aws.ecs.deployments import (
    DeploymentBrief,
    Hook,
    RevisionState,
    ServiceDeployment,
    ServiceFacts,
)
from aws.ecs.revisions import ContainerImage, ServiceRevision
from aws.ecs.task_definitions import TaskDefinition
from aws.elbv2 import TargetHealth
from aws.errors import Refused
from tests import make

REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/news-api"
OLD_DIGEST = "sha256:" + "0" * 64
NEW_DIGEST = "sha256:" + "1" * 64
TASK_DEFINITION = "arn:aws:ecs:us-east-1:123456789012:task-definition/news-api"
DEPLOYMENT = "arn:aws:ecs:us-east-1:123456789012:service-deployment/production/news-api"
REVISION = "arn:aws:ecs:us-east-1:123456789012:service-revision/production/news-api"
OLD_REVISION = f"{REVISION}/1"


class FakeEcs:
    """Counts the calls that change something; `fail` names an error for the next such call."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.failures: dict[str, list[Exception]] = {}
        self.lost_answers: set[str] = set()
        self.facts = ServiceFacts(
            status="ACTIVE",
            controller="ECS",
            task_definition=f"{TASK_DEFINITION}:1",
            desired=2,
            running=2,
            pending=0,
            configuration={"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5},
            current_revision=OLD_REVISION,
        )
        self.deployments: dict[str, ServiceDeployment] = {}
        self.briefs: list[DeploymentBrief] = []
        self.revisions = {
            OLD_REVISION: ServiceRevision(
                OLD_REVISION,
                f"{TASK_DEFINITION}:1",
                (ContainerImage("news-api", f"{REPOSITORY}:1.4.0", OLD_DIGEST),),
                (make.BLUE,),
            )
        }
        self.task_definitions = {f"{TASK_DEFINITION}:1": self._definition(1, "1.4.0")}
        self.images = {NEW_DIGEST: self._image()}
        self.weights: dict[str, int] = {make.BLUE: 1, make.GREEN: 0}
        self.alarms: dict[str, str] = {}
        self.stopped: list[stopped_tasks.StoppedTask] = []

    def stand_in(self, monkeypatch: Any) -> None:
        """Replace the adapters' functions."""
        replaced = {
            deployments: (
                "service_facts",
                "list_deployments",
                "describe_deployments",
                "update_service",
                "continue_deployment",
                "stop_deployment",
            ),
            revisions: ("describe_revisions",),
        }
        for module, names in replaced.items():
            for name in names:
                monkeypatch.setattr(module, name, getattr(self, name))
        monkeypatch.setattr(task_definitions, "describe", self.describe_task_definition)
        monkeypatch.setattr(task_definitions, "register", self.register)
        monkeypatch.setattr(stopped_tasks, "latest", lambda **_: self.stopped)
        monkeypatch.setattr(ecr, "image", self.image)
        monkeypatch.setattr(elbv2, "rule_weights", lambda rule: self.weights)
        monkeypatch.setattr(elbv2, "target_health", lambda arn: TargetHealth(2, 0, 0))
        monkeypatch.setattr(alarms, "states", lambda names: self.alarms)

    def count(self, name: str) -> int:
        """Return how often a changing call reached ECS."""
        return len([call for call, _ in self.calls if call == name])

    def fail(self, name: str, error: Exception) -> None:
        self.failures.setdefault(name, []).append(error)

    def lose_answer(self, name: str) -> None:
        """Have the next such call carried out, and its answer lost."""
        self.lost_answers.add(name)

    # What the portal reads.

    def service_facts(self, *, cluster: str, service: str) -> ServiceFacts:
        self._raise("service_facts")
        return self.facts

    def list_deployments(self, **_: Any) -> list[DeploymentBrief]:
        self._raise("list_deployments")
        wanted = _.get("status") or None
        return [brief for brief in self.briefs if wanted is None or brief.status in wanted]

    def describe_deployments(self, arns: Any) -> dict[str, ServiceDeployment]:
        self._raise("describe_deployments")
        return {arn: self.deployments[arn] for arn in arns if arn in self.deployments}

    def describe_revisions(self, arns: Any) -> dict[str, ServiceRevision]:
        return {arn: self.revisions[arn] for arn in arns if arn in self.revisions}

    def describe_task_definition(self, arn: str) -> TaskDefinition:
        self._raise("describe_task_definition")
        if arn == "news-api":
            return list(self.task_definitions.values())[-1]
        return self.task_definitions[arn]

    def image(self, repository: str, digest: str) -> Image:
        if digest not in self.images:
            raise Refused("no such image", code="ImageNotFoundException")
        return self.images[digest]

    # What the portal changes.

    def register(self, content: Any, *, tags: Any) -> TaskDefinition:
        self._call("register", content)
        number = len(self.task_definitions) + 1
        made = replace(
            self._definition(number, "x"),
            image=content["containerDefinitions"][0]["image"],
            content=dict(content),
            tags=dict(tags),
        )
        self.task_definitions[made.arn] = made
        self._answer("register")
        return made

    def update_service(self, *, task_definition: str = "", **request: Any) -> dict[str, Any]:
        self._call("update_service", {"task_definition": task_definition, **request})
        if task_definition:
            self.facts = replace(self.facts, task_definition=task_definition)
            self.begin(task_definition, request["configuration"])
        self._answer("update_service")
        return {"taskDefinition": task_definition}

    def continue_deployment(self, *, arn: str, hook_id: str, action: str) -> None:
        self._call("continue_deployment", (hook_id, action))
        seen = self.deployments[arn]
        hooks = tuple(
            replace(hook, status="SUCCEEDED" if action == "CONTINUE" else "FAILED")
            if hook.hook_id == hook_id
            else hook
            for hook in seen.hooks
        )
        status = "ROLLBACK_IN_PROGRESS" if action == "ROLLBACK" else seen.status
        self.deployments[arn] = replace(seen, hooks=hooks, status=status)
        self._answer("continue_deployment")

    def stop_deployment(self, *, arn: str) -> None:
        self._call("stop_deployment", arn)
        self.deployments[arn] = replace(self.deployments[arn], status="ROLLBACK_IN_PROGRESS")
        self._answer("stop_deployment")

    # What the test makes ECS do.

    def begin(
        self, task_definition: str, configuration: Any = None, at: datetime | None = None
    ) -> str:
        """Begin a deployment and return its ARN."""
        number = len(self.deployments) + 2
        arn, revision = f"{DEPLOYMENT}/d{number}", f"{REVISION}/{number}"
        image = f"{REPOSITORY}@{NEW_DIGEST}"
        self.revisions[revision] = ServiceRevision(
            revision,
            task_definition,
            (ContainerImage("news-api", image, NEW_DIGEST),),
            (make.GREEN,),
        )
        created = at or datetime.now(UTC)
        self.deployments[arn] = ServiceDeployment(
            arn=arn,
            status="PENDING",
            created_at=created,
            started_at=created,
            sources=(RevisionState(OLD_REVISION, 2, 2, 0, 100.0),),
            target=RevisionState(revision, 2, 0, 2, 0.0),
            configuration=configuration or {"strategy": "CANARY"},
        )
        self.briefs.append(DeploymentBrief(arn, "PENDING", revision, created))
        return arn

    def show(self, arn: str, *, weight: float | None = None, **changes: Any) -> None:
        """Change what DescribeServiceDeployments says."""
        seen = self.deployments[arn]
        if weight is not None and seen.target:
            old = replace(seen.sources[0], production_weight=100.0 - weight)
            new = replace(seen.target, production_weight=weight, running=2, pending=0)
            changes |= {"sources": (old,), "target": new}
        self.deployments[arn] = replace(seen, **changes)
        self.briefs = [
            replace(brief, status=self.deployments[arn].status) if brief.arn == arn else brief
            for brief in self.briefs
        ]

    def pause(self, arn: str, hook_id: str, *, weight: float, minutes: float = 60) -> None:
        """Have the deployment wait before it shifts production traffic."""
        hook = Hook(
            hook_id,
            "PAUSE",
            "AWAITING_ACTION",
            datetime.now(UTC) + timedelta(minutes=minutes),
            "ROLLBACK",
        )
        self.show(
            arn,
            weight=weight,
            status="IN_PROGRESS",
            lifecycle_stage="PRE_PRODUCTION_TRAFFIC_SHIFT",
            hooks=(*self.deployments[arn].hooks, hook),
        )

    @property
    def newest(self) -> str:
        return list(self.deployments)[-1]

    def _call(self, name: str, request: Any) -> None:
        self._raise(name)
        self.calls.append((name, request))

    def _answer(self, name: str) -> None:
        from aws.errors import Unreachable

        if name in self.lost_answers:
            self.lost_answers.discard(name)
            raise Unreachable(f"{name}: AWS did not answer (ReadTimeoutError).")

    def _raise(self, name: str) -> None:
        if self.failures.get(name):
            raise self.failures[name].pop(0)

    @staticmethod
    def _definition(number: int, tag: str) -> TaskDefinition:
        image = f"{REPOSITORY}:{tag}"
        container = {"name": "news-api", "image": image, "essential": True}
        return TaskDefinition(
            arn=f"{TASK_DEFINITION}:{number}",
            family="news-api",
            revision=number,
            cpu=512,
            memory=1024,
            image=image,
            content={"family": "news-api", "cpu": "512", "containerDefinitions": [container]},
        )

    @staticmethod
    def _image() -> Image:
        return Image("news-api", NEW_DIGEST, ("1.4.1",), make.NOON, 48_000_000, "COMPLETE", {})
