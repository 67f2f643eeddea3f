"""ECS's operations on services."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.ecs import validation
from sandbox.ecs.model import Service, now
from sandbox.ecs.pages import page
from sandbox.ecs.part import Answer, Part, missing, tag_mapping
from sandbox.ecs.validation import refuse
from sandbox.ecs.views import tag_list
from sandbox.errors import AwsError
from sandbox.names import ecs_arn, last_part


class Services(Part):
    """Services."""

    def create_service(
        self,
        serviceName: str,
        taskDefinition: str,
        cluster: str | None = None,
        desiredCount: int = 0,
        deploymentConfiguration: Mapping[str, Any] | None = None,
        tags: Sequence[Mapping[str, str]] = (),
        **settings: Any,
    ) -> Answer:
        """Create a service and start its first deployment."""
        where = self.account.cluster(cluster)
        if self.account.find_service(where, serviceName):
            raise refuse("Creation of service was not idempotent.")
        definition = self.account.task_definition(taskDefinition)
        configuration = validation.deployment_configuration(deploymentConfiguration or {})
        validation.strategy_fits(configuration, settings.get("loadBalancers", []))
        service = Service(
            arn=ecs_arn("service", where.name, serviceName),
            name=serviceName,
            cluster=where.name,
            cluster_arn=where.arn,
            desired=desiredCount,
            task_definition=definition.arn,
            configuration=configuration,
            settings=_settings(settings),
            created_at=now(),
            tags=tag_mapping(tags),
        )
        self.account.save(service)
        self.controller.start(service, definition)
        return {"service": self.views.service(service, ["TAGS"])}

    def update_service(
        self,
        service: str,
        cluster: str | None = None,
        desiredCount: int | None = None,
        taskDefinition: str | None = None,
        deploymentConfiguration: Mapping[str, Any] | None = None,
        forceNewDeployment: bool = False,
        **settings: Any,
    ) -> Answer:
        """Change a service. A new task definition starts a deployment.

        The same task definition without forceNewDeployment starts none. AWS's documents do not
        say what happens then; a no-op is the reading under which a retry does no harm.
        """
        found = self.account.service(cluster, service)
        wanted = taskDefinition or found.task_definition
        definition = self.account.task_definition(wanted)
        if definition.status != "ACTIVE" and taskDefinition:
            raise AwsError("ClientException", "TaskDefinition is inactive")
        if deploymentConfiguration is not None:
            configuration = validation.deployment_configuration(deploymentConfiguration)
            validation.strategy_fits(configuration, found.load_balancers)
            found.configuration = configuration
        found.settings |= _settings(settings) if settings else {}
        if desiredCount is not None:
            self.controller.scale(found, desiredCount)
        if forceNewDeployment or definition.arn != found.task_definition:
            self.controller.start(found, definition)
        self.account.save(found)
        return {"service": self.views.service(found, ["TAGS"])}

    def describe_services(
        self, services: Sequence[str], cluster: str | None = None, include: Sequence[str] = ()
    ) -> Answer:
        """At most 10 services; unknown ones as failures MISSING."""
        where = self.account.cluster(cluster)
        if not 1 <= len(services) <= 10:
            raise refuse("Services must have between 1 and 10 items.")
        pairs = [(name, self.account.find_service(where, name)) for name in services]
        return {
            "services": [self.views.service(s, list(include)) for _, s in pairs if s],
            "failures": [
                missing(ecs_arn("service", where.name, last_part(n))) for n, s in pairs if not s
            ],
        }

    def list_services(
        self,
        cluster: str | None = None,
        nextToken: str | None = None,
        maxResults: int | None = None,
        launchType: str = "FARGATE",
        schedulingStrategy: str = "REPLICA",
        **_: Any,
    ) -> Answer:
        """ARNs of the cluster's services, 10 a page unless asked for another number."""
        where = self.account.cluster(cluster)
        fits = launchType == "FARGATE" and schedulingStrategy == "REPLICA"
        arns = sorted(a for a, s in self.account.services.items() if s.cluster_arn == where.arn)
        shown, more = page(arns if fits else [], nextToken, maxResults, default=10, most=100)
        return {"serviceArns": shown, **more}

    def list_tags_for_resource(self, resourceArn: str) -> Answer:
        """Tags of a cluster, service or task definition; raises InvalidParameterException."""
        shelves: tuple[Mapping[str, Any], ...] = (
            self.account.clusters,
            self.account.services,
            self.account.task_definitions,
        )
        for shelf in shelves:
            if resourceArn in shelf:
                return {"tags": tag_list(shelf[resourceArn].tags)}
        raise refuse("The specified resource was not found.")


_KEPT = (
    "loadBalancers",
    "networkConfiguration",
    "platformVersion",
    "launchType",
    "healthCheckGracePeriodSeconds",
)


def _settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """What of CreateService and UpdateService is kept as it was given."""
    return {name: given[name] for name in _KEPT if name in given}
