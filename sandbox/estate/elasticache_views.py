"""Replication groups and cache clusters as ElastiCache shows them, read from moto's state."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sandbox.errors import AwsError
from sandbox.estate import plan
from sandbox.estate.pages import Answer
from sandbox.names import ACCOUNT, REGION

_DOMAIN = "a1b2c3.use1.cache.amazonaws.com"
_PARAMETERS = "default.redis7"


def backend() -> Any:
    """moto's ElastiCache; call this in moto's thread."""
    from sandbox import moto_adapter

    return moto_adapter.backend("elasticache", ACCOUNT, REGION)


def groups(wanted: str) -> list[Any]:
    """moto's groups; raises ReplicationGroupNotFoundFault."""
    groups = backend().replication_groups
    if wanted and wanted not in groups:
        message = f"ReplicationGroup {wanted} not found."
        raise AwsError("ReplicationGroupNotFoundFault", message, 404)
    return [groups[wanted]] if wanted else list(groups.values())


def replication_groups(wanted: str) -> list[Answer]:
    """All groups, or the one of that name; raises ReplicationGroupNotFoundFault."""
    return [_group(found) for found in groups(wanted)]


def _group(group: Any) -> Answer:
    members = list(group.member_clusters)
    shown: Answer = {
        "ReplicationGroupId": group.replication_group_id,
        "Description": group.description,
        "Status": group.status,
        "PendingModifiedValues": {},
        "MemberClusters": members,
        "NodeGroups": [_node_group(group.replication_group_id, members)],
        "AutomaticFailover": group.automatic_failover,
        "MultiAZ": group.multi_az,
        "SnapshotRetentionLimit": group.snapshot_retention_limit,
        "SnapshotWindow": group.snapshot_window,
        "ClusterEnabled": group.cluster_enabled,
        "CacheNodeType": group.cache_node_type,
        "AuthTokenEnabled": group.auth_token_enabled,
        "TransitEncryptionEnabled": group.transit_encryption_enabled,
        "AtRestEncryptionEnabled": group.at_rest_encryption_enabled,
        "ARN": group.arn,
        "UserGroupIds": list(group.user_group_ids),
        "LogDeliveryConfigurations": [],
        "ReplicationGroupCreateTime": _utc(group.replication_group_create_time),
        "DataTiering": group.data_tiering,
        "AutoMinorVersionUpgrade": bool(group.auto_minor_version_upgrade),
        "NetworkType": group.network_type,
        "IpDiscovery": group.ip_discovery,
        "ClusterMode": group.cluster_mode,
        "Engine": group.engine,
    }
    if group.snapshot_retention_limit:
        shown["SnapshottingClusterId"] = members[-1]
    if group.transit_encryption_enabled:
        shown["TransitEncryptionMode"] = group.transit_encryption_mode or "required"
    return shown


def _node_group(name: str, members: Sequence[str]) -> Answer:
    return {
        "NodeGroupId": "0001",
        "Status": "available",
        "PrimaryEndpoint": {"Address": f"{name}.{_DOMAIN}", "Port": 6379},
        "ReaderEndpoint": {"Address": f"{name}-ro.{_DOMAIN}", "Port": 6379},
        "NodeGroupMembers": [
            {
                "CacheClusterId": member,
                "CacheNodeId": "0001",
                "ReadEndpoint": {"Address": f"{member}.{_DOMAIN}", "Port": 6379},
                "PreferredAvailabilityZone": plan.ZONES[number % len(plan.ZONES)],
                "CurrentRole": "replica" if number else "primary",
            }
            for number, member in enumerate(members)
        ],
    }


def cache_clusters(wanted: str) -> list[Answer]:
    """All clusters, or the one of that name; raises CacheClusterNotFound."""
    clusters = backend().cache_clusters
    if wanted and wanted not in clusters:
        raise AwsError("CacheClusterNotFound", f"CacheCluster {wanted} not found.", 404)
    return [_cluster_shown(c) for c in ([clusters[wanted]] if wanted else clusters.values())]


def _cluster_shown(cluster: Any) -> Answer:
    groups = backend().replication_groups
    group = groups.get(getattr(cluster, "replication_group_id", None))
    shown: Answer = {
        "CacheClusterId": cluster.cache_cluster_id,
        "CacheNodeType": cluster.cache_node_type,
        "Engine": cluster.engine,
        "EngineVersion": cluster.engine_version or "7.1.0",
        "CacheClusterStatus": cluster.cache_cluster_status,
        "NumCacheNodes": getattr(cluster, "num_cache_nodes", 1),
        "CacheClusterCreateTime": _utc(cluster.cache_cluster_create_time),
        "PendingModifiedValues": {},
        "CacheSecurityGroups": [],
        "CacheNodes": _nodes(cluster),
        "AutoMinorVersionUpgrade": bool(cluster.auto_minor_version_upgrade),
        "SecurityGroups": [
            {"SecurityGroupId": name, "Status": "active"} for name in cluster.security_group_ids
        ],
        "SnapshotRetentionLimit": cluster.snapshot_retention_limit,
        "AuthTokenEnabled": cluster.auth_token_enabled,
        "TransitEncryptionEnabled": bool(group and group.transit_encryption_enabled),
        "AtRestEncryptionEnabled": bool(group and group.at_rest_encryption_enabled),
        "ARN": cluster.arn,
        "ReplicationGroupLogDeliveryEnabled": False,
        "LogDeliveryConfigurations": [],
        "NetworkType": "ipv4",
        "IpDiscovery": "ipv4",
    }
    return shown | _given(cluster, group)


def _given(cluster: Any, group: Any) -> Answer:
    """Members that are only there when they were set."""
    parameters = cluster.cache_parameter_group_name or _PARAMETERS
    values = {
        "PreferredAvailabilityZone": cluster.preferred_availability_zone,
        "PreferredMaintenanceWindow": cluster.preferred_maintenance_window,
        "CacheSubnetGroupName": cluster.cache_subnet_group_name,
        "ReplicationGroupId": group and group.replication_group_id,
        "CacheParameterGroup": {
            "CacheParameterGroupName": parameters,
            "ParameterApplyStatus": "in-sync",
            "CacheNodeIdsToReboot": [],
        },
    }
    return {key: value for key, value in values.items() if value}


def _nodes(cluster: Any) -> list[Answer]:
    return [
        {
            "CacheNodeId": "0001",
            "CacheNodeStatus": "available",
            "CacheNodeCreateTime": _utc(cluster.cache_cluster_create_time),
            "Endpoint": {"Address": f"{cluster.cache_cluster_id}.{_DOMAIN}", "Port": 6379},
            "ParameterGroupStatus": "in-sync",
            "CustomerAvailabilityZone": cluster.preferred_availability_zone or plan.ZONES[0],
        }
    ]


def _utc(naive: datetime) -> datetime:
    """moto's dates say no zone and mean UTC."""
    return naive.replace(tzinfo=UTC)
