"""Operations of ECS that this account refuses by name: moto knows nothing of its clusters."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from sandbox.ecs.part import Answer
from sandbox.errors import AwsError
from sandbox.honesty import refused

# In snake case, as the gateway asks for them.
NAMES = frozenset(
    {
        "associate_gateway_with_cluster",
        "create_capacity_provider",
        "create_daemon",
        "create_express_gateway_service",
        "create_gateway",
        "create_task_set",
        "delete_account_setting",
        "delete_attributes",
        "delete_capacity_provider",
        "delete_daemon",
        "delete_daemon_task_definition",
        "delete_express_gateway_service",
        "delete_gateway",
        "delete_task_definitions",
        "delete_task_set",
        "deregister_container_instance",
        "describe_container_instances",
        "describe_daemon",
        "describe_daemon_deployments",
        "describe_daemon_revisions",
        "describe_daemon_task_definition",
        "describe_express_gateway_service",
        "describe_gateway",
        "describe_gateway_resources",
        "describe_gateway_route",
        "describe_task_sets",
        "disassociate_gateway_from_cluster",
        "discover_poll_endpoint",
        "list_account_settings",
        "list_attributes",
        "list_container_instances",
        "list_daemon_deployments",
        "list_daemon_task_definitions",
        "list_daemons",
        "list_gateway_cluster_associations",
        "list_gateway_routes",
        "list_gateways",
        "list_services_by_namespace",
        "put_account_setting",
        "put_account_setting_default",
        "put_attributes",
        "put_cluster_capacity_providers",
        "register_container_instance",
        "register_daemon_task_definition",
        "start_task",
        "submit_attachment_state_changes",
        "submit_container_state_change",
        "submit_task_state_change",
        "update_capacity_provider",
        "update_cluster",
        "update_container_agent",
        "update_container_instances_state",
        "update_daemon",
        "update_express_gateway_service",
        "update_gateway",
        "update_service_primary_task_set",
        "update_task_set",
    }
)


class NotServed:
    """Answers every operation in NAMES with ECS's own word for what it does not support."""

    def __getattr__(self, name: str) -> Callable[..., Answer]:
        if name not in NAMES:
            raise AttributeError(name)
        return refused("Answered with UnsupportedFeatureException.")(partial(_refuse, name))


def _refuse(name: str, /, **_: Any) -> Answer:
    operation = "".join(word.capitalize() for word in name.split("_"))
    message = f"The operation {operation} is not supported in this account."
    raise AwsError("UnsupportedFeatureException", message)
