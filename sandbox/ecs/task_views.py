"""A task as DescribeTasks shows one that runs on Fargate."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sandbox.ecs.model import Task
from sandbox.ecs.views import present, tag_list

_ATTACHED = {"PROVISIONING": "PRECREATED", "STOPPED": "DELETED"}


def task(item: Task, container: Mapping[str, Any], include: Collection[str]) -> dict[str, Any]:
    """One entry of `tasks`; `container` is its container definition."""
    return present(
        taskArn=item.arn,
        clusterArn=item.cluster_arn,
        taskDefinitionArn=item.task_definition,
        group=item.group,
        startedBy=item.started_by or None,
        lastStatus=item.last_status,
        desiredStatus=item.desired_status,
        healthStatus=item.health,
        launchType="FARGATE",
        platformVersion="1.4.0",
        platformFamily="Linux",
        availabilityZone=item.availability_zone,
        connectivity="CONNECTED",
        connectivityAt=item.pull_started_at,
        cpu=str(item.cpu),
        memory=str(item.memory),
        ephemeralStorage={"sizeInGiB": 20},
        fargateEphemeralStorage={"sizeInGiB": 20},
        version=item.version,
        createdAt=item.created_at,
        pullStartedAt=item.pull_started_at,
        pullStoppedAt=item.pull_stopped_at,
        startedAt=item.started_at,
        stoppingAt=item.stopping_at,
        stoppedAt=item.stopped_at,
        executionStoppedAt=item.stopped_at,
        stoppedReason=item.stopped_reason or None,
        stopCode=item.stop_code or None,
        attachments=[_interface(item)],
        attributes=[{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        enableExecuteCommand=False,
        inferenceAccelerators=[],
        overrides={
            "containerOverrides": [{"name": item.container}],
            "inferenceAcceleratorOverrides": [],
            **item.overrides,
        },
        tags=tag_list(item.tags) if "TAGS" in include else [],
        containers=[_container(item, container)],
    )


def _interface(item: Task) -> dict[str, Any]:
    """The task's elastic network interface; its ids are made of the task's own."""
    digest = hashlib.blake2b(item.arn.encode(), digest_size=16).hexdigest()
    mac = ":".join(("02", *(digest[i : i + 2] for i in range(0, 10, 2))))
    details = {
        "subnetId": item.subnet,
        "networkInterfaceId": f"eni-{digest[:17]}",
        "macAddress": mac,
        "privateDnsName": f"ip-{item.address.replace('.', '-')}.ec2.internal",
        "privateIPv4Address": item.address,
    }
    return {
        "id": str(UUID(digest)),
        "type": "ElasticNetworkInterface",
        "status": _ATTACHED.get(item.last_status, "ATTACHED"),
        "details": [{"name": name, "value": value} for name, value in details.items()],
    }


def _container(item: Task, container: Mapping[str, Any]) -> dict[str, Any]:
    attachment = _interface(item)["id"]
    return present(
        containerArn=item.arn.replace(":task/", ":container/") + "/0",
        taskArn=item.arn,
        name=item.container,
        image=item.image,
        imageDigest=item.digest or None,
        runtimeId=f"{item.short_id}-0" if item.started_at else None,
        lastStatus=item.last_status if item.started_at or item.stopped_at else "PENDING",
        healthStatus=item.health,
        exitCode=item.exit_code,
        reason=item.container_reason or None,
        networkInterfaces=[
            {"attachmentId": attachment, "privateIpv4Address": item.address},
        ],
        networkBindings=[],
        cpu=str(container.get("cpu", 0)),
        memory=_text(container.get("memory")),
        memoryReservation=_text(container.get("memoryReservation")),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
