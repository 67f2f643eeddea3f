"""ECS's operations on services."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.ecs import fargate_only, listener_rules, validation
from sandbox.ecs.model import Cluster, Service, TaskDefinition, now
from sandbox.ecs.pages import page
from sandbox.ecs.part import Answer, Part, missing, tag_mapping
from sandbox.ecs.registering import compatibilities
from sandbox.ecs.revisions import DEPLOYED
from sandbox.ecs.validation import refuse
from sandbox.errors import AwsError
from sandbox.honesty import our_reading, simplified
from sandbox.names import ecs_arn, last_part

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
# Kept as they were given.
_KEPT = (
    "loadBalancers",
    "networkConfiguration",
    "platformVersion",
    "launchType",
    "healthCheckGracePeriodSeconds",
    "enableExecuteCommand",
    "enableECSManagedTags",
    "propagateTags",
    "availabilityZoneRebalancing",
)


class Services(Part):
    """Services."""

    @simplified("One load balancer and one container; tasks run on Fargate only.")
    def create_service(
        self,
        serviceName: str,
        taskDefinition: str = "",
        cluster: str | None = None,
        desiredCount: int | None = None,
        deploymentConfiguration: Mapping[str, Any] | None = None,
        tags: Sequence[Mapping[str, str]] = (),
        clientToken: str = "",
        **settings: Any,
    ) -> Answer:
        """Create a service and start its first deployment.

        Raises InvalidParameter…, Client…, ClusterNotFound… or UnsupportedFeatureException.
        """
        where = self.account.cluster(cluster)
        known = self.account.find_service(where, serviceName)
        if known and known.status == "ACTIVE" and clientToken and known.token == clientToken:
            return {"service": self.views.service(known, ["TAGS"])}
        _may_be_created(known, taskDefinition)
        definition = self.account.task_definition(taskDefinition)
        fargate_only.service(settings)
        _deployable(definition, settings)
        configuration = validation.deployment_configuration(deploymentConfiguration or {})
        balancers = settings.get("loadBalancers", [])
        listener_rules.strategy_fits(configuration, balancers, self._rules())
        validation.service(settings, configuration, bool(balancers))
        self._balanced(settings)
        service = self._new(where, serviceName, definition, desiredCount, configuration)
        service.settings, service.token = _settings(settings), clientToken
        service.tags = tag_mapping(tags)
        self.account.save(service)
        self.controller.start(service, definition)
        return {"service": self.views.service(service, ["TAGS"])}

    def _new(
        self,
        where: Cluster,
        name: str,
        definition: TaskDefinition,
        desired: int | None,
        configuration: dict[str, Any],
    ) -> Service:
        if desired is None:
            raise refuse("Desired count is required for the REPLICA scheduling strategy.")
        if desired < 0:
            raise refuse("Desired count must not be negative.")
        if not _NAME.fullmatch(name):
            raise refuse("Service name contains invalid characters.")
        return Service(
            arn=ecs_arn("service", where.name, name),
            name=name,
            cluster=where.name,
            cluster_arn=where.arn,
            desired=desired,
            task_definition=definition.arn,
            configuration=configuration,
            settings={},
            created_at=now(),
        )

    def _rules(self) -> listener_rules.Rules:
        rules = self.controller.balancers.rules
        return {arn: rule.weights for arn, rule in rules.items()}

    @our_reading(
        "The same task definition without forceNewDeployment starts no deployment: AWS's "
        "documents do not say what happens, and so a retry does no harm."
    )
    @our_reading("A deploymentConfiguration takes the place of the one before as a whole.")
    @our_reading(
        "A newer deployment begins at RECONCILE_SERVICE and waits there until the one in flight "
        "is rolled back."
    )
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
        """Change a service. A new task definition, network, platform or balancer is deployed.

        Raises ServiceNotActive…, InvalidParameter…, Client… or UnsupportedFeatureException.
        """
        found = self.account.active_service(cluster, service)
        definition = self.account.task_definition(taskDefinition or found.task_definition)
        fargate_only.service(settings)
        changed = {name: settings[name] for name in DEPLOYED if name in settings}
        deploys = forceNewDeployment or definition.arn != found.task_definition
        deploys |= any(found.settings.get(name) != value for name, value in changed.items())
        if taskDefinition or deploys:
            _deployable(definition, found.settings | settings)
        configuration = self._configuration(found, deploymentConfiguration, settings, deploys)
        if desiredCount is not None and desiredCount < 0:
            raise refuse("Desired count must not be negative.")
        # Nothing was changed so far: a refused call leaves the service as it was.
        found.configuration = configuration
        found.settings = {**found.settings, **_settings(settings)}
        if desiredCount is not None:
            self.controller.scale(found, desiredCount)
        if deploys:
            self.controller.start(found, definition)
        self.account.save(found)
        return {"service": self.views.service(found, ["TAGS"])}

    def _configuration(
        self,
        found: Service,
        given: Mapping[str, Any] | None,
        settings: Mapping[str, Any],
        deploys: bool,
    ) -> dict[str, Any]:
        configuration = found.configuration
        if given is not None:
            configuration = validation.deployment_configuration(given)
        balancers = settings.get("loadBalancers", found.load_balancers)
        validation.service(settings, configuration, bool(balancers))
        if given is not None or deploys:
            listener_rules.strategy_fits(configuration, balancers, self._rules())
        self._balanced(settings)
        return configuration

    def _balanced(self, settings: Mapping[str, Any]) -> None:
        """Raises InvalidParameterException for a target group that no load balancer knows."""
        for balancer in settings.get("loadBalancers", []):
            group = balancer.get("targetGroupArn", "")
            if not self.controller.balancers.knows(group):
                raise refuse(
                    f"The target group with targetGroupArn {group} does not have an associated "
                    "load balancer."
                )

    @our_reading("A service that drains can be deleted again, to no effect.")
    def delete_service(
        self, service: str, cluster: str | None = None, force: bool = False
    ) -> Answer:
        """Stop a service's tasks: DRAINING, then INACTIVE.

        Raises InvalidParameterException, or ServiceNotFoundException for one that is deleted.
        """
        found = self.account.service(cluster, service)
        if found.status == "INACTIVE":
            raise AwsError("ServiceNotFoundException", "Service not found.")
        if found.status == "DRAINING":
            return {"service": self.views.service(found, ["TAGS"])}
        if found.desired > 0 and not force:
            raise refuse(
                "The service cannot be stopped while the primary deployment is scaled above 0."
            )
        found.status, found.desired = "DRAINING", 0
        self.controller.end(found)
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
            "services": [self.views.service(s, include) for _, s in pairs if s],
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
        **unsupported: Any,
    ) -> Answer:
        """ARNs of the cluster's active services, 10 a page unless asked for another number."""
        where = self.account.cluster(cluster)
        fargate_only.nothing_else(unsupported)
        fits = launchType == "FARGATE" and schedulingStrategy == "REPLICA"
        arns = sorted(
            arn
            for arn, service in self.account.services.items()
            if service.cluster_arn == where.arn and service.status == "ACTIVE"
        )
        asked = {"services of": where.arn, "fits": fits}
        chosen = arns if fits else []
        shown, more = page(chosen, nextToken, maxResults, of=asked, default=10, most=100)
        return {"serviceArns": shown, **more}


def _may_be_created(known: Service | None, task_definition: str) -> None:
    if known and known.status == "ACTIVE":
        raise refuse("Creation of service was not idempotent.")
    if known and known.status == "DRAINING":
        raise refuse("Unable to Start a service that is still Draining.")
    if not task_definition:
        raise refuse("TaskDefinition cannot be blank.")


def _deployable(definition: TaskDefinition, settings: Mapping[str, Any]) -> None:
    """Raises Client… or InvalidParameterException for what cannot run on Fargate."""
    if definition.status != "ACTIVE":
        raise AwsError("ClientException", "TaskDefinition is inactive")
    if "FARGATE" not in compatibilities(definition.body):
        raise refuse("Task definition does not support launch_type FARGATE.")
    fargate_only.network(settings)
    for balancer in settings.get("loadBalancers", []):
        _container_listens(definition.container, balancer)


def _container_listens(container: Mapping[str, Any], balancer: Mapping[str, Any]) -> None:
    name, port = balancer.get("containerName"), balancer.get("containerPort")
    if name != container["name"]:
        raise refuse(f"The container {name} does not exist in the task definition.")
    if port not in [mapping.get("containerPort") for mapping in container.get("portMappings", [])]:
        raise refuse(f"The container {name} did not have a container port {port} defined.")


def _settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """What of CreateService and UpdateService is kept as it was given."""
    return {name: given[name] for name in _KEPT if name in given}
