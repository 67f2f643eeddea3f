"""The RDS operations that moto lacks."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sandbox.errors import AwsError
from sandbox.estate import rds_events
from sandbox.estate.pages import Answer, InMoto, marker_page, window
from sandbox.estate.postgres import CERTIFICATES, ENGINE_VERSIONS, PARAMETERS, Parameter
from sandbox.honesty import simplified
from sandbox.names import ACCOUNT, REGION

INSTANCE = "news-production"
FAMILY = "postgres16"
_ARN = f"arn:aws:rds:{REGION}:{ACCOUNT}:db:{INSTANCE}"


class Rds:
    """Operations on the database that moto does not have. `in_moto` reads moto's state."""

    def __init__(self, in_moto: InMoto, epoch: datetime) -> None:
        self._in_moto = in_moto
        self._epoch = epoch

    @simplified("Twenty-eight parameters of postgres16, not all four hundred.")
    async def describe_db_parameters(
        self, DBParameterGroupName: str, Source: str = "", **page: Any
    ) -> Answer:
        """A parameter group's settings; raises DBParameterGroupNotFound."""
        changed = await self._in_moto(lambda: _changed(DBParameterGroupName))
        everything = [_parameter(p, changed.get(p.name)) for p in PARAMETERS]
        found = [p for p in everything if Source in ("", p["Source"])]
        return marker_page(
            "Parameters", found, {"of": DBParameterGroupName, "source": Source}, page
        )

    def describe_certificates(self, CertificateIdentifier: str = "", **page: Any) -> Answer:
        """The certificate authorities RDS offers; raises CertificateNotFound."""
        found = [
            c for c in CERTIFICATES if CertificateIdentifier in ("", c["CertificateIdentifier"])
        ]
        if not found:
            message = f"{CertificateIdentifier} doesn't refer to an existing certificate."
            raise AwsError("CertificateNotFound", message, 404)
        default = {"DefaultCertificateForNewLaunches": "rds-ca-rsa2048-g1"}
        return default | marker_page("Certificates", found, {"of": CertificateIdentifier}, page)

    async def describe_pending_maintenance_actions(
        self, ResourceIdentifier: str = "", Filters: Sequence[Any] = (), **page: Any
    ) -> Answer:
        """What AWS will do to the instances; raises ResourceNotFoundFault."""
        known = await self._in_moto(_instance_arns)
        if ResourceIdentifier and ResourceIdentifier not in known:
            message = f"The specified resource {ResourceIdentifier} was not found."
            raise AwsError("ResourceNotFoundFault", message, 404)
        wanted = _wanted(Filters) if Filters else [ResourceIdentifier or _ARN]
        shown = _ARN in known and any(name in (_ARN, INSTANCE) for name in wanted)
        found = [self._upgrade()] if shown else []
        return marker_page("PendingMaintenanceActions", found, {"of": wanted}, page)

    def _upgrade(self) -> Answer:
        """An operating system update that AWS will force two months after it was offered."""
        return {
            "ResourceIdentifier": _ARN,
            "PendingMaintenanceActionDetails": [
                {
                    "Action": "system-update",
                    "Description": "New Operating System update is available",
                    "AutoAppliedAfterDate": self._epoch + timedelta(days=24),
                    "CurrentApplyDate": self._epoch + timedelta(days=24),
                }
            ],
        }

    @simplified("Minor versions of PostgreSQL 16 and 17 that existed when this was written.")
    def describe_db_engine_versions(
        self,
        Engine: str = "",
        EngineVersion: str = "",
        DBParameterGroupFamily: str = "",
        DefaultOnly: bool = False,
        **page: Any,
    ) -> Answer:
        """Versions of PostgreSQL one may run; other engines are not offered here."""
        found = [
            version
            for version in ENGINE_VERSIONS
            if Engine in ("", "postgres")
            and version["EngineVersion"].startswith(EngineVersion)
            and DBParameterGroupFamily in ("", version["DBParameterGroupFamily"])
        ]
        found = found[-1:] if DefaultOnly else found
        return marker_page("DBEngineVersions", found, {"of": [Engine, EngineVersion]}, page)

    def describe_reserved_db_instances(self, ReservedDBInstanceId: str = "", **_: Any) -> Answer:
        """None were ever bought; raises ReservedDBInstanceNotFound for one by id."""
        if ReservedDBInstanceId:
            message = f"Reserved DB Instance {ReservedDBInstanceId} not found."
            raise AwsError("ReservedDBInstanceNotFound", message, 404)
        return {"ReservedDBInstances": []}

    @simplified("Nightly backups, and what moto notes of instances and snapshots.")
    async def describe_events(
        self,
        SourceIdentifier: str = "",
        SourceType: str = "",
        StartTime: datetime | None = None,
        EndTime: datetime | None = None,
        Duration: int = 60,
        EventCategories: Sequence[str] = (),
        **page: Any,
    ) -> Answer:
        """Events of a window, the last hour unless said; raises InvalidParameterCombination."""
        if SourceIdentifier and not SourceType:
            message = "Cannot specify source identifier without source type"
            raise AwsError("InvalidParameterCombination", message)
        begin, end = window(StartTime, EndTime, Duration)
        found = [
            event
            for event in await self._in_moto(partial(rds_events.between, begin, end))
            if rds_events.concerns(
                event, identifier=SourceIdentifier, kind=SourceType, categories=EventCategories
            )
        ]
        asked = {"of": [SourceIdentifier, SourceType, *EventCategories]}
        return marker_page("Events", found, asked, page)


def _instance_arns() -> list[str]:
    from sandbox.moto_adapter import backend

    return [db.db_instance_arn for db in backend("rds", ACCOUNT, REGION).databases.values()]


def _wanted(filters: Sequence[Mapping[str, Any]]) -> list[str]:
    """The instances named by a `db-instance-id` filter; raises InvalidParameterValue."""
    for one in filters:
        if one["Name"] != "db-instance-id":
            message = f"Unrecognized filter name: {one['Name']}"
            raise AwsError("InvalidParameterValue", message)
    return [value for one in filters for value in one["Values"]]


def _changed(group: str) -> Mapping[str, Mapping[str, Any]]:
    """What was set in a group by hand, by parameter."""
    from sandbox.moto_adapter import backend

    groups = backend("rds", ACCOUNT, REGION).db_parameter_groups
    if group in groups:
        return dict(groups[group].parameters)
    if group == f"default.{FAMILY}":
        return {}
    raise AwsError("DBParameterGroupNotFound", f"DBParameterGroup not found: {group}", 404)


def _parameter(known: Parameter, changed: Mapping[str, Any] | None) -> Answer:
    shown: Answer = {
        "ParameterName": known.name,
        "Description": known.description,
        "Source": "user" if changed else known.source,
        "ApplyType": known.apply_type,
        "DataType": known.data_type,
        "IsModifiable": known.source != "system" or known.name == "rds.force_ssl",
        "ApplyMethod": "immediate" if known.apply_type == "dynamic" else "pending-reboot",
    }
    if known.allowed:
        shown["AllowedValues"] = known.allowed
    value = known.value if changed is None else changed.get("ParameterValue")
    if changed and changed.get("ApplyMethod"):
        shown["ApplyMethod"] = changed["ApplyMethod"]
    return shown | ({"ParameterValue": value} if value is not None else {})
