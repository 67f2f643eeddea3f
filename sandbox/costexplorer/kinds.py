"""The kinds of usage the account can be billed for, in the words of the bill."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.costexplorer import lines


@dataclass(frozen=True)
class Kind:
    """One kind of usage: how the bill names it, the key of its price, the unit it counts in."""

    service: str
    usage_type: str
    operation: str
    price: str
    unit: str


LOAD_BALANCER = Kind(lines.ELB, "LoadBalancerUsage", "LoadBalancing:Application", "alb.hour", "Hrs")
CAPACITY_UNITS = Kind(lines.ELB, "LCUUsage", "LoadBalancing:Application", "alb.lcu_hour", "LCU-Hrs")
NAT_HOURS = Kind(lines.EC2_OTHER, "NatGateway-Hours", "NatGateway", "nat.hour", "Hrs")
NAT_BYTES = Kind(lines.EC2_OTHER, "NatGateway-Bytes", "NatGateway", "nat.gb", "GB")
CROSS_AZ = Kind(
    lines.EC2_OTHER, "DataTransfer-Regional-Bytes", "InterZone-In", "transfer.cross_az_gb", "GB"
)
ADDRESS = Kind(lines.VPC, "USE1-PublicIPv4:InUseAddress", "AllocateAddressVPC", "ipv4.hour", "Hrs")
IDLE_ADDRESS = Kind(
    lines.VPC, "USE1-PublicIPv4:IdleAddress", "AllocateAddressVPC", "ipv4.hour", "Hrs"
)
ENDPOINT_HOURS = Kind(
    lines.VPC, "USE1-VpcEndpoint-Hours", "VpcEndpoint", "vpce.interface_hour", "Hrs"
)
LOG_INGESTION = Kind(
    lines.CLOUDWATCH, "USE1-DataProcessing-Bytes", "PutLogEvents", "logs.ingest_gb", "GB"
)
LOG_SCANS = Kind(lines.CLOUDWATCH, "USE1-DataScanned-Bytes", "StartQuery", "logs.insights_gb", "GB")
LOG_STORAGE = Kind(
    lines.CLOUDWATCH,
    "USE1-TimedStorage-ByteHrs",
    "HourlyStorageMetering",
    "logs.storage_gb_month",
    "GB-Mo",
)
METRICS = Kind(
    lines.CLOUDWATCH,
    "CW:MetricMonitorUsage",
    "MetricStorage",
    "cw.custom_metric_month",
    "Metrics",
)
ALARMS = Kind(lines.CLOUDWATCH, "CW:AlarmMonitorUsage", "Unknown", "cw.alarm_month", "Alarms")
DASHBOARDS = Kind(
    lines.CLOUDWATCH, "DashboardsUsageHour", "DashboardHour", "cw.dashboard_month", "Dashboards"
)
METRICS_ASKED = Kind(
    lines.CLOUDWATCH, "CW:GMD-Metrics", "GetMetricData", "cw.getmetricdata_metric", "Metrics"
)
COST_EXPLORER_PAGES = Kind(
    lines.COST_EXPLORER, "USE1-APIRequest", "GetCostAndUsage", "ce.request", "Requests"
)
IMAGES = Kind(lines.ECR, "TimedStorage-ByteHrs", "TimedStorage-ByteHrs", "ecr.gb_month", "GB-Mo")
SECRETS = Kind(
    lines.SECRETS, "USE1-AWSSecretsManager-Secrets", "Secret", "secrets.secret_month", "Secrets"
)
SECRET_CALLS = Kind(
    lines.SECRETS,
    "USE1-AWSSecretsManagerAPIRequest",
    "GetSecretValue",
    "secrets.call",
    "API Requests",
)
_RDS_OPERATIONS = {
    "mysql": "CreateDBInstance:0002",
    "postgres": "CreateDBInstance:0014",
    "aurora-postgresql": "CreateDBInstance:0021",
}
_CACHE_OPERATIONS = {
    "memcached": "CreateCacheCluster:0001",
    "redis": "CreateCacheCluster:0002",
    "valkey": "CreateCacheCluster:0003",
}


def fargate(*, arm: bool) -> tuple[Kind, Kind]:
    """vCPU hours and GB hours of Fargate tasks."""
    infix, key = ("ARM-", "arm") if arm else ("", "x86")
    cpu = f"USE1-Fargate-{infix}vCPU-Hours:perCPU"
    memory = f"USE1-Fargate-{infix}GB-Hours"
    return (
        Kind(lines.ECS, cpu, "FargateTask", f"fargate.{key}.vcpu_hour", "hours"),
        Kind(lines.ECS, memory, "FargateTask", f"fargate.{key}.gb_hour", "hours"),
    )


def database(instance_class: str, *, engine: str, multi_az: bool) -> Kind:
    """Hours of a DB instance; Multi-AZ has a price of its own."""
    usage, suffix = ("Multi-AZUsage", "multi") if multi_az else ("InstanceUsage", "single")
    price = f"rds.{engine}.{instance_class}.{suffix}_hour"
    operation = _RDS_OPERATIONS.get(engine, "CreateDBInstance")
    return Kind(lines.RDS, f"{usage}:{instance_class}", operation, price, "Hrs")


def database_storage(*, engine: str, multi_az: bool) -> Kind:
    """Allocated storage of a DB instance. gp2 and gp3 cost the same here."""
    infix, suffix = ("Multi-AZ-", "multi") if multi_az else ("", "single")
    operation = _RDS_OPERATIONS.get(engine, "CreateDBInstance")
    usage = f"RDS:{infix}GP3-Storage"
    return Kind(lines.RDS, usage, operation, f"rds.gp3.{suffix}_gb_month", "GB-Mo")


def cache_node(node_type: str, *, engine: str) -> Kind:
    """Hours of a cache node."""
    operation = _CACHE_OPERATIONS.get(engine, "CreateCacheCluster")
    price = f"elasticache.{engine}.{node_type}.hour"
    return Kind(lines.ELASTICACHE, f"NodeUsage:{node_type}", operation, price, "Hrs")
