"""Facts about RDS for PostgreSQL: parameters, versions, certificate authorities.

Sources: Amazon RDS user guide ("Working with parameters on your RDS for PostgreSQL DB instance",
"Using SSL/TLS to encrypt a connection to a DB instance") and RDS for PostgreSQL release notes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.names import REGION


@dataclass(frozen=True)
class Parameter:
    """One parameter of family postgres16 with AWS's default; None where the engine decides.

    `source` is who sets the default: system (RDS) or engine-default.
    """

    name: str
    value: str | None
    data_type: str
    apply_type: str
    description: str
    allowed: str = ""
    source: str = "engine-default"


_DYNAMIC, _STATIC = "dynamic", "static"
PARAMETERS = (
    Parameter("autovacuum", "1", "boolean", _DYNAMIC, "Starts autovacuum.", "0,1"),
    Parameter("autovacuum_max_workers", None, "integer", _STATIC, "Worker processes.", "1-262143"),
    Parameter("autovacuum_naptime", "15", "integer", _DYNAMIC, "Seconds apart.", "1-2147483"),
    Parameter("checkpoint_timeout", "300", "integer", _DYNAMIC, "Seconds.", "30-3600"),
    Parameter("deadlock_timeout", None, "integer", _DYNAMIC, "Milliseconds.", "1-2147483647"),
    Parameter(
        "effective_cache_size", "{DBInstanceClassMemory/16384}", "integer", _DYNAMIC, "8 kB pages.",
        "1-2147483647", "system",
    ),
    Parameter("idle_in_transaction_session_timeout", "86400000", "integer", _DYNAMIC, "ms."),
    Parameter("idle_session_timeout", None, "integer", _DYNAMIC, "Milliseconds."),
    Parameter("lock_timeout", None, "integer", _DYNAMIC, "Milliseconds.", "0-2147483647"),
    Parameter("log_connections", None, "boolean", _DYNAMIC, "Logs each connection.", "0,1"),
    Parameter("log_disconnections", None, "boolean", _DYNAMIC, "Logs ends of sessions.", "0,1"),
    Parameter("log_lock_waits", None, "boolean", _DYNAMIC, "Logs long lock waits.", "0,1"),
    Parameter("log_min_duration_statement", None, "integer", _DYNAMIC, "Milliseconds."),
    Parameter("log_statement", None, "string", _DYNAMIC, "Statements.", "none,ddl,mod,all"),
    Parameter("log_temp_files", None, "integer", _DYNAMIC, "Kilobytes."),
    Parameter("maintenance_work_mem", None, "integer", _DYNAMIC, "Kilobytes."),
    Parameter(
        "max_connections", "LEAST({DBInstanceClassMemory/9531392},5000)", "integer", _STATIC,
        "Concurrent connections.", "6-262143", "system",
    ),
    Parameter("max_wal_size", "2048", "integer", _DYNAMIC, "Megabytes.", "128-201326592", "system"),
    Parameter("password_encryption", None, "string", _DYNAMIC, "Hash.", "md5,scram-sha-256"),
    Parameter("rds.force_ssl", "1", "boolean", _DYNAMIC, "Force SSL connections.", "0,1", "system"),
    Parameter("rds.log_retention_period", "4320", "integer", _DYNAMIC, "Minutes.", "1440-10080",
              "system"),
    Parameter("rds.logical_replication", "0", "boolean", _STATIC, "Logical decoding.", "0,1",
              "system"),
    Parameter("shared_buffers", "{DBInstanceClassMemory/32768}", "integer", _STATIC, "8 kB pages.",
              "16-1073741823", "system"),
    Parameter("shared_preload_libraries", "pg_stat_statements", "list", _STATIC, "Libraries.",
              source="system"),
    Parameter("ssl_min_protocol_version", None, "string", _DYNAMIC, "Lowest TLS version.",
              "TLSv1.2,TLSv1.3"),
    Parameter("statement_timeout", None, "integer", _DYNAMIC, "Milliseconds.", "0-2147483647"),
    Parameter("wal_buffers", None, "integer", _STATIC, "8 kB pages.", "-1-262143"),
    Parameter("work_mem", None, "integer", _DYNAMIC, "Kilobytes.", "64-2147483647"),
)  # fmt: skip
_EXPORTS = ["postgresql", "upgrade", "iam-db-auth-error"]
_MINORS = {16: (1, 2, 3, 4, 5, 6, 8, 9, 10), 17: (1, 2, 4, 5, 6)}


def _authority(name: str, years: int) -> dict[str, Any]:
    """A certificate authority of 2021; the validity is that of the user guide's table."""
    begin = datetime(2021, 5, 25, 22, 34, 57, tzinfo=UTC)
    return {
        "CertificateIdentifier": name,
        "CertificateType": "CA",
        "ValidFrom": begin,
        "ValidTill": begin.replace(year=begin.year + years),
        "CertificateArn": f"arn:aws:rds:{REGION}::cert:{name}",
        "CustomerOverride": False,
    }


CERTIFICATES = (
    _authority("rds-ca-ecc384-g1", 100),
    _authority("rds-ca-rsa2048-g1", 40),
    _authority("rds-ca-rsa4096-g1", 100),
)


def _version(major: int, minor: int) -> dict[str, Any]:
    return {
        "Engine": "postgres",
        "MajorEngineVersion": str(major),
        "EngineVersion": f"{major}.{minor}",
        "DBParameterGroupFamily": f"postgres{major}",
        "DBEngineDescription": "PostgreSQL",
        "DBEngineVersionDescription": f"PostgreSQL {major}.{minor}",
        "ValidUpgradeTarget": [],
        "ExportableLogTypes": _EXPORTS,
        "SupportsLogExportsToCloudwatchLogs": True,
        "SupportsReadReplica": True,
        "SupportedFeatureNames": ["Lambda", "s3Export", "s3Import"],
        "Status": "available",
        "SupportsParallelQuery": False,
        "SupportsGlobalDatabases": False,
        "SupportsBabelfish": False,
        "SupportsCertificateRotationWithoutRestart": True,
        "SupportedCACertificateIdentifiers": [
            str(c["CertificateIdentifier"]) for c in CERTIFICATES
        ],
    }


def _targets(versions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every version may be upgraded to the later ones of its major version and of the next."""
    for at, version in enumerate(versions):
        version["ValidUpgradeTarget"] = [
            {
                "Engine": "postgres",
                "EngineVersion": later["EngineVersion"],
                "Description": later["DBEngineVersionDescription"],
                "AutoUpgrade": later is versions[at + 1],
                "IsMajorVersionUpgrade": later["MajorEngineVersion"]
                != version["MajorEngineVersion"],
            }
            for later in versions[at + 1 :]
        ]
    return versions


ENGINE_VERSIONS = _targets(
    [_version(major, minor) for major, minors in _MINORS.items() for minor in minors]
)
