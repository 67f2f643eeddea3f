"""The account's Redis in moto."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sandbox.estate import plan
from sandbox.moto_adapter import backend
from sandbox.names import ACCOUNT, REGION

GROUP = "news-production"
NODES = 2
NODE_TYPE = "cache.t3.medium"
PARAMETERS = "default.redis7"


def seed(epoch: datetime) -> None:
    """Create subnet group, replication group and its clusters. `epoch`: the first start."""
    elasticache = backend("elasticache", ACCOUNT, REGION)
    elasticache.create_cache_subnet_group("news", "Cache", plan.subnets("database"), [])
    group = elasticache.create_replication_group(
        **_unset(elasticache.create_replication_group) | _group()
    )
    group.replication_group_create_time = epoch - timedelta(days=412)
    for number in range(NODES):
        cluster = elasticache.create_cache_cluster(
            **_unset(elasticache.create_cache_cluster) | _cluster(number)
        )
        cluster.cache_cluster_create_time = group.replication_group_create_time
        # moto has these two on its own "redis" path only when it is asked so.
        cluster.replication_group_id, cluster.num_cache_nodes = GROUP, 1


def _unset(method: Callable[..., Any]) -> dict[str, None]:
    """moto wants every parameter of the operation; most stay unset."""
    return dict.fromkeys(inspect.signature(method).parameters)


def _group() -> dict[str, Any]:
    return {
        "replication_group_id": GROUP,
        "replication_group_description": "Articles by query, sessions",
        "engine": "redis",
        "engine_version": "7.1",
        "cache_node_type": NODE_TYPE,
        "replicas_per_node_group": NODES - 1,
        "num_cache_clusters": NODES,
        "preferred_cache_cluster_azs": list(plan.ZONES),
        "automatic_failover_enabled": False,
        "multi_az_enabled": False,
        "transit_encryption_enabled": False,
        "at_rest_encryption_enabled": True,
        "snapshot_retention_limit": 1,
        "snapshot_window": "02:00-03:00",
        "preferred_maintenance_window": "sun:04:30-sun:05:30",
        "auto_minor_version_upgrade": True,
        "cache_subnet_group_name": "news",
        "cache_parameter_group_name": PARAMETERS,
        "security_group_ids": [plan.group_id(plan.CACHE)],
    }


def _cluster(number: int) -> dict[str, Any]:
    return {
        "cache_cluster_id": f"{GROUP}-{number + 1:03}",
        "cache_node_type": NODE_TYPE,
        "engine": "redis",
        "engine_version": "7.1.0",
        "replication_group_id": GROUP,
        "num_cache_nodes": 1,
        "preferred_availability_zone": plan.ZONES[number],
        "cache_subnet_group_name": "news",
        "cache_parameter_group_name": PARAMETERS,
        "security_group_ids": [plan.group_id(plan.CACHE)],
        "preferred_maintenance_window": "sun:04:30-sun:05:30",
        "auto_minor_version_upgrade": True,
        "snapshot_window": "02:00-03:00",
        "snapshot_retention_limit": int(number == 1),
    }
