"""What the live account holds now: tasks, databases, caches, network, images, alarms, logs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sandbox.costexplorer import kinds, script
from sandbox.costexplorer.journal import Holding
from sandbox.costexplorer.kinds import Kind
from sandbox.costexplorer.lines import Tags
from sandbox.costexplorer.prices import price
from sandbox.ecs.account import Account
from sandbox.names import ACCOUNT, REGION

# The keys the account activated as cost allocation tags.
TAG_KEYS = ("environment", "owner", "service")
_ONE = Decimal(1)
_GB = Decimal(10**9)


def of_tasks(account: Account) -> Iterator[Holding]:
    """vCPUs, GB and secret calls of the tasks that run, by service and architecture.

    Fargate charges from the pull of the image until the task has stopped. A task of no service is
    a resource by itself.
    """
    sizes: dict[tuple[str, bool], list[tuple[Decimal, Decimal]]] = {}
    for task in account.tasks.values():
        if task.last_status not in ("PROVISIONING", "STOPPED"):
            body = account.task_definitions[task.task_definition].body
            platform: Mapping[str, str] = body.get("runtimePlatform") or {}
            key = account.owner_arn(task), platform.get("cpuArchitecture") == "ARM64"
            size = Decimal(task.cpu) / 1024, Decimal(task.memory) / 1024
            sizes.setdefault(key, []).append(size)
    for (arn, arm), each in sizes.items():
        cpu, memory = kinds.fargate(arm=arm)
        owner = account.services.get(arn) or account.tasks.get(arn)
        tags = tags_of((owner.tags if owner else {}).items())
        calls = script.SECRET_CALLS_A_TASK_HOUR * len(each)
        yield Holding(cpu, arn, sum((v for v, _ in each), Decimal(0)), tags)
        yield Holding(memory, arn, sum((m for _, m in each), Decimal(0)), tags)
        yield Holding(kinds.SECRET_CALLS, arn, calls)


def of_moto() -> list[Holding]:
    """What moto keeps that costs something; call it in moto's thread."""
    return [
        holding
        for part in (_databases, _caches, _network, _endpoints, _load_balancers, _images)
        for holding in part()
    ]


def tags_of(pairs: Iterable[tuple[str, str]]) -> Tags:
    """Cost allocation tags among a resource's tags, sorted."""
    return tuple(sorted((key, value) for key, value in pairs if key in TAG_KEYS))


def _listed(tags: Iterable[Mapping[str, str]]) -> Tags:
    return tags_of((tag["Key"], tag["Value"]) for tag in tags)


def _backend(service: str) -> Any:
    from sandbox.moto_adapter import backend

    return backend(service, ACCOUNT, REGION)


def _priced(kind: Kind) -> bool:
    """Sizes that are not in the price book cannot be billed."""
    try:
        return price(kind.price) >= 0
    except KeyError:
        return False


def _databases() -> Iterator[Holding]:
    for database in _backend("rds").databases.values():
        name, engine = database.db_instance_identifier, database.engine
        multi_az, tags = bool(database.multi_az), _listed(database.tags)
        instance = kinds.database(database.db_instance_class, engine=engine, multi_az=multi_az)
        if database.status != "stopped" and _priced(instance):
            yield Holding(instance, name, _ONE, tags)
        storage = kinds.database_storage(engine=engine, multi_az=multi_az)
        yield Holding(storage, name, Decimal(int(database.allocated_storage)), tags)


def _caches() -> Iterator[Holding]:
    for cluster in _backend("elasticache").cache_clusters.values():
        node = kinds.cache_node(cluster.cache_node_type, engine=cluster.engine)
        if _priced(node):
            number = Decimal(int(getattr(cluster, "num_cache_nodes", None) or 1))
            yield Holding(node, cluster.cache_cluster_id, number, _listed(cluster.tags))


def _network() -> Iterator[Holding]:
    ec2 = _backend("ec2")
    for gateway in ec2.nat_gateways.values():
        if gateway.state == "available":
            yield Holding(kinds.NAT_HOURS, gateway.id, _ONE, _of_resource(ec2, gateway.id))
    idle = {a.public_ip for a in ec2.addresses if a.association_id is None}
    used = {a.public_ip for a in ec2.addresses} | {i.public_ip for i in ec2.enis.values()}
    for address in sorted(filter(None, used)):
        kind = kinds.IDLE_ADDRESS if address in idle else kinds.ADDRESS
        yield Holding(kind, address, _ONE)


def _endpoints() -> Iterator[Holding]:
    """Interface endpoints cost by zone; gateway endpoints are free."""
    ec2 = _backend("ec2")
    for endpoint in ec2.vpc_end_points.values():
        if (endpoint.vpc_endpoint_type or "").lower() == "interface":
            zones = Decimal(len(endpoint.subnet_ids or ()))
            yield Holding(kinds.ENDPOINT_HOURS, endpoint.id, zones, _of_resource(ec2, endpoint.id))


def _of_resource(ec2: Any, identifier: str) -> Tags:
    return tags_of((ec2.tags.get(identifier) or {}).items())


def _load_balancers() -> Iterator[Holding]:
    elb = _backend("elbv2")
    for arn in elb.load_balancers:
        if "loadbalancer/app/" in arn:
            tags = elb.tagging_service.list_tags_for_resource(arn)["Tags"]
            yield Holding(kinds.LOAD_BALANCER, arn, _ONE, _listed(tags))


def _images() -> Iterator[Holding]:
    for repository in _backend("ecr").repositories.values():
        size = sum(_image_size(image.image_manifest) for image in repository.images)
        if size:
            yield Holding(kinds.IMAGES, repository.name, size / _GB)


def _image_size(manifest: str) -> int:
    """Bytes of an image's layers and configuration; moto itself forgets the layers."""
    body = json.loads(manifest)
    parts = [*body.get("layers", ()), body.get("config") or {}]
    return sum(int(part.get("size", 0)) for part in parts)


def of_secrets(secrets: Sequence[Mapping[str, Any]]) -> Iterator[Holding]:
    """Secrets that are not marked for deletion."""
    kept = [secret for secret in secrets if not secret.get("DeletedDate")]
    for secret in kept:
        tags = _listed(secret.get("Tags") or ())
        yield Holding(kinds.SECRETS, secret["ARN"], _ONE, tags)


def of_monitoring(
    *, alarms: Iterable[Mapping[str, Any]], dashboards: int, metrics: Iterable[str]
) -> Iterator[Holding]:
    """Alarms by the metrics each looks at, dashboards, and metrics outside AWS's namespaces."""
    watched = sum(_metrics_of(alarm) for alarm in alarms)
    own = sum(not namespace.startswith("AWS/") for namespace in metrics)
    amounts = (
        (kinds.ALARMS, watched),
        (kinds.DASHBOARDS, dashboards),
        (kinds.METRICS, own),
    )
    for kind, number in amounts:
        if number:
            yield Holding(kind, "all", Decimal(number))


def _metrics_of(alarm: Mapping[str, Any]) -> int:
    return sum("MetricStat" in query for query in alarm.get("Metrics", ())) or 1


def of_logs(archives: Mapping[str, Decimal]) -> Iterator[Holding]:
    """Stored GB by log group, to a tenth: finer changes would fill the journal."""
    for group, size in archives.items():
        amount = size.quantize(Decimal("0.1"))
        if amount:
            yield Holding(kinds.LOG_STORAGE, group, amount)
