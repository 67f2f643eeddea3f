"""The ElastiCache operations that moto lacks or shortens."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sandbox.errors import AwsError
from sandbox.estate import elasticache_views as views
from sandbox.estate.pages import Answer, InMoto, marker_page, window
from sandbox.honesty import simplified
from sandbox.state import State

GROUP = "news-production"
NODES = 2
_KIND = "replication-group"
# What ModifyReplicationGroup may change here: AWS's parameter → moto's attribute.
_CHANGEABLE = {
    "ReplicationGroupDescription": "description",
    "CacheNodeType": "cache_node_type",
    "SnapshotRetentionLimit": "snapshot_retention_limit",
    "SnapshotWindow": "snapshot_window",
    "PreferredMaintenanceWindow": "preferred_maintenance_window",
    "AutoMinorVersionUpgrade": "auto_minor_version_upgrade",
    "TransitEncryptionEnabled": "transit_encryption_enabled",
    "TransitEncryptionMode": "transit_encryption_mode",
    "AutomaticFailoverEnabled": "automatic_failover",
    "MultiAZEnabled": "multi_az",
}
_SWITCHES = ("AutomaticFailoverEnabled", "MultiAZEnabled")


class ElastiCache:
    """Operations on the cache that moto lacks. What is changed here outlives a restart."""

    def __init__(self, in_moto: InMoto, state: State, epoch: datetime) -> None:
        self._in_moto = in_moto
        self._state = state
        self._epoch = epoch

    async def restore(self) -> None:
        """Change moto's groups again as they were changed before the restart."""
        for document in self._state.all(_KIND):
            await self._in_moto(partial(_change, document["id"], document["changes"]))

    @simplified("Log delivery, outposts and sharded groups are left out.")
    async def describe_replication_groups(
        self, ReplicationGroupId: str = "", **page: Any
    ) -> Answer:
        """Replication groups; raises ReplicationGroupNotFoundFault."""
        found = await self._in_moto(partial(views.replication_groups, ReplicationGroupId))
        return marker_page("ReplicationGroups", found, {"of": ReplicationGroupId}, page)

    @simplified("Node endpoints are names that lead nowhere.")
    async def describe_cache_clusters(
        self,
        CacheClusterId: str = "",
        ShowCacheNodeInfo: bool = False,
        ShowCacheClustersNotInReplicationGroups: bool = False,
        **page: Any,
    ) -> Answer:
        """Cache clusters, with their nodes when asked; raises CacheClusterNotFound."""
        shown = await self._in_moto(partial(views.cache_clusters, CacheClusterId))
        if ShowCacheClustersNotInReplicationGroups:
            shown = [c for c in shown if "ReplicationGroupId" not in c]
        if not ShowCacheNodeInfo:
            shown = [{k: v for k, v in c.items() if k != "CacheNodes"} for c in shown]
        return marker_page("CacheClusters", shown, {"of": CacheClusterId}, page)

    @simplified("Changes apply at once, whatever ApplyImmediately says; versions cannot change.")
    async def modify_replication_group(self, ReplicationGroupId: str, **given: Any) -> Answer:
        """Change a replication group; raises InvalidParameterValue for what cannot change here."""
        given.pop("ApplyImmediately", None)
        if unknown := given.keys() - _CHANGEABLE.keys():
            message = f"The sandbox cannot change {', '.join(sorted(unknown))}."
            raise AwsError("InvalidParameterValue", message)
        await self._in_moto(partial(_change, ReplicationGroupId, given))
        known = self._state.get(_KIND, ReplicationGroupId) or {"changes": {}}
        changes = {**known["changes"], **given}
        self._state.put(_KIND, ReplicationGroupId, {"id": ReplicationGroupId, "changes": changes})
        (group,) = await self._in_moto(partial(views.replication_groups, ReplicationGroupId))
        return {"ReplicationGroup": group}

    @simplified("The automatic snapshots of the last fortnight and nothing else.")
    def describe_events(
        self,
        SourceIdentifier: str = "",
        SourceType: str = "",
        StartTime: datetime | None = None,
        EndTime: datetime | None = None,
        Duration: int = 60,
        **page: Any,
    ) -> Answer:
        """Events of a window, the last hour unless said; at most 14 days back."""
        if SourceIdentifier and not SourceType:
            message = "Cannot specify source identifier without source type"
            raise AwsError("InvalidParameterCombination", message)
        begin, end = window(StartTime, EndTime, Duration)
        found = [
            event
            for event in _nightly(end)
            if begin <= event["Date"] <= end
            and SourceIdentifier in ("", event["SourceIdentifier"])
            and SourceType in ("", event["SourceType"])
        ]
        return marker_page("Events", found, {"of": [SourceIdentifier, SourceType]}, page)

    def describe_reserved_cache_nodes(self, ReservedCacheNodeId: str = "", **_: Any) -> Answer:
        """None were ever bought; raises ReservedCacheNodeNotFound for one by id."""
        if ReservedCacheNodeId:
            message = f"Reserved cache node {ReservedCacheNodeId} not found."
            raise AwsError("ReservedCacheNodeNotFound", message, 404)
        return {"ReservedCacheNodes": []}

    @simplified("One security update waits for ever; it cannot be applied.")
    def describe_update_actions(
        self,
        ReplicationGroupIds: Sequence[str] = (),
        CacheClusterIds: Sequence[str] = (),
        UpdateActionStatus: Sequence[str] = (),
        **page: Any,
    ) -> Answer:
        """The security update that waits for the replication group."""
        update = self._update()
        wanted = not CacheClusterIds and GROUP in (ReplicationGroupIds or (GROUP,))
        shown = wanted and "not-applied" in (UpdateActionStatus or ("not-applied",))
        return marker_page("UpdateActions", [update] if shown else [], {"of": "updates"}, page)

    def _update(self) -> Answer:
        released = self._epoch - timedelta(days=20)
        return {
            "ReplicationGroupId": GROUP,
            "ServiceUpdateName": f"elasticache-{released:%Y%m%d}-001",
            "ServiceUpdateReleaseDate": released,
            "ServiceUpdateSeverity": "important",
            "ServiceUpdateStatus": "available",
            "ServiceUpdateRecommendedApplyByDate": released + timedelta(days=60),
            "ServiceUpdateType": "security-update",
            "UpdateActionAvailableDate": released,
            "UpdateActionStatus": "not-applied",
            "NodesUpdated": f"0/{NODES}",
            "UpdateActionStatusModifiedDate": released,
            "SlaMet": "n/a",
            "EstimatedUpdateTime": "30 minutes",
            "Engine": "redis",
        }


def _nightly(end: datetime) -> list[Answer]:
    """The second node is backed up every night at half past two."""
    first = end.replace(hour=2, minute=30, second=0, microsecond=0) - timedelta(days=13)
    node = f"{GROUP}-002"
    return [
        {
            "SourceIdentifier": node,
            "SourceType": "cache-cluster",
            "Message": "Snapshot succeeded for snapshot with ID "
            f"'automatic.{node}-{night:%Y-%m-%d-%H-%M}' of cache cluster with ID '{node}'",
            "Date": night,
        }
        for night in (first + timedelta(days=number) for number in range(14))
    ]


def _change(group: str, changes: Mapping[str, Any]) -> None:
    (found,) = views.groups(group)
    for parameter, value in changes.items():
        word = ("enabled" if value else "disabled") if parameter in _SWITCHES else value
        setattr(found, _CHANGEABLE[parameter], word)
    for cluster in found.member_clusters:
        views.backend().cache_clusters[cluster].cache_node_type = found.cache_node_type
