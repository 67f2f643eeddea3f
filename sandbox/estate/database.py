"""The account's PostgreSQL in moto."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sandbox.estate import plan
from sandbox.measurements import resource_id
from sandbox.moto_adapter import backend
from sandbox.names import ACCOUNT, REGION

INSTANCE = "news-production"
PARAMETER_GROUP = "news-postgres16"
FAMILY = "postgres16"


def seed(epoch: datetime) -> None:
    """Create subnet group, parameter group, instance and snapshots. `epoch`: the first start."""
    rds = backend("rds", ACCOUNT, REGION)
    ec2 = backend("ec2", ACCOUNT, REGION)
    subnets = [ec2.get_subnet(name) for name in plan.subnets("database")]
    rds.create_subnet_group("news", "Where the News API keeps its data", subnets, [])
    _parameter_group(rds)
    instance = rds.create_db_instance(_instance())
    instance.dbi_resource_id = f"db-{resource_id(INSTANCE).upper()}"
    instance.created = instance.instance_create_time = epoch - timedelta(days=412)
    rds.database_snapshots.clear()
    _snapshots(rds, epoch)
    rds.events.clear()


def _parameter_group(rds: Any) -> None:
    rds.create_db_parameter_group(
        {
            "db_parameter_group_name": PARAMETER_GROUP,
            "description": "News API",
            "db_parameter_group_family": FAMILY,
        }
    )
    changed = {"rds.force_ssl": "0", "log_min_duration_statement": "500"}
    rds.modify_db_parameter_group(
        PARAMETER_GROUP,
        [
            {"ParameterName": name, "ParameterValue": value, "ApplyMethod": "immediate"}
            for name, value in changed.items()
        ],
    )


def _instance() -> dict[str, Any]:
    return {
        "db_instance_identifier": INSTANCE,
        "db_instance_class": "db.t4g.medium",
        "engine": "postgres",
        "engine_version": "16.4",
        "allocated_storage": 100,
        "storage_type": "gp3",
        "storage_encrypted": True,
        "kms_key_id": f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/aws/rds",
        "master_username": "news",
        "master_user_password": resource_id(f"{INSTANCE}:password"),
        "db_name": "news",
        "multi_az": True,
        "publicly_accessible": False,
        "backup_retention_period": 3,
        "preferred_backup_window": "03:10-03:40",
        "preferred_maintenance_window": "sun:04:00-sun:04:30",
        "deletion_protection": False,
        "auto_minor_version_upgrade": True,
        "copy_tags_to_snapshot": True,
        "db_subnet_group_name": "news",
        "db_parameter_group_name": PARAMETER_GROUP,
        "vpc_security_group_ids": [plan.group_id(plan.DATABASE)],
        "enable_cloudwatch_logs_exports": ["postgresql"],
        "ca_certificate_identifier": "rds-ca-rsa2048-g1",
        "tags": [{"Key": "service", "Value": "news-api"}],
    }


def _snapshots(rds: Any, epoch: datetime) -> None:
    for days in (3, 2, 1):
        at = (epoch - timedelta(days=days)).replace(hour=3, minute=12, second=0, microsecond=0)
        _snapshot(rds, f"rds:{INSTANCE}-{at:%Y-%m-%d-%H-%M}", "automated", at)
    _snapshot(rds, f"{INSTANCE}-before-1-3", "manual", epoch - timedelta(days=12, hours=15))


def _snapshot(rds: Any, name: str, kind: str, at: datetime) -> None:
    made = rds.create_db_snapshot(INSTANCE, name, snapshot_type=kind)
    made.created = made.original_snapshot_create_time = at
