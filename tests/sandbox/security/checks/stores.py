"""Checks of databases, caches and secrets."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial

from tests.sandbox.security.checks.register import CHECKS, check


def of_databases(fails, evidence):
    return {db["DBInstanceIdentifier"] for db in evidence.databases() if fails(db)}


def of_caches(fails, evidence):
    return {group["ReplicationGroupId"] for group in evidence.caches() if fails(group)}


CHECKS |= {
    "RDS-01": partial(of_databases, lambda db: db["PubliclyAccessible"]),
    "RDS-02": partial(of_databases, lambda db: not db["StorageEncrypted"]),
    "RDS-04": partial(of_databases, lambda db: not db["MultiAZ"]),
    "RDS-05": partial(of_databases, lambda db: db["BackupRetentionPeriod"] < 7),
    "RDS-06": partial(of_databases, lambda db: not db["DeletionProtection"]),
    "RED-01": partial(of_caches, lambda group: not group["TransitEncryptionEnabled"]),
    "RED-02": partial(of_caches, lambda group: not group["AtRestEncryptionEnabled"]),
    "RED-03": partial(of_caches, lambda g: "disabled" in (g["AutomaticFailover"], g["MultiAZ"])),
    "RED-04": partial(of_caches, lambda group: group["SnapshotRetentionLimit"] < 7),
}


@check("RDS-03")
def unencrypted_connections(evidence):
    found = set()
    for database in evidence.databases():
        name = database["DBParameterGroups"][0]["DBParameterGroupName"]
        parameters = evidence.ask("rds", "describe_db_parameters", DBParameterGroupName=name)
        values = {p["ParameterName"]: p.get("ParameterValue") for p in parameters["Parameters"]}
        if values["rds.force_ssl"] != "1":
            found.add(database["DBInstanceIdentifier"])
    return found


@check("RDS-10")
def public_snapshots(evidence):
    found = set()
    for snapshot in evidence.ask("rds", "describe_db_snapshots")["DBSnapshots"]:
        name = snapshot["DBSnapshotIdentifier"]
        answer = evidence.ask("rds", "describe_db_snapshot_attributes", DBSnapshotIdentifier=name)
        attributes = answer["DBSnapshotAttributesResult"]["DBSnapshotAttributes"]
        found |= {name for a in attributes if "all" in a["AttributeValues"]}
    assert evidence.ask("rds", "describe_db_snapshots")["DBSnapshots"]
    return found


@check("RDS-11")
def old_authorities(evidence):
    found = set()
    for database in evidence.databases():
        name = database["CACertificateIdentifier"]
        answer = evidence.ask("rds", "describe_certificates", CertificateIdentifier=name)
        if answer["Certificates"][0]["ValidTill"] < datetime.now(UTC) + timedelta(days=90):
            found.add(database["DBInstanceIdentifier"])
    return found


@check("SEC-01")
def unrotated_secrets(evidence):
    return {s["Name"] for s in evidence.secrets() if not s.get("RotationEnabled")}


@check("SEC-02")
def failed_rotations(evidence):
    found = set()
    for secret in evidence.secrets():
        stuck = ["AWSPENDING"] in secret["SecretVersionsToStages"].values()
        overdue = secret.get("NextRotationDate", datetime.now(UTC)) < datetime.now(UTC)
        if stuck or (overdue and secret.get("RotationEnabled")):
            found.add(secret["Name"])
    return found


@check("SEC-03")
def stale_consumers(evidence):
    newest = {}
    for secret in evidence.secrets():
        answer = evidence.ask("secretsmanager", "list_secret_version_ids", SecretId=secret["ARN"])
        (newest[secret["ARN"]],) = [
            v["CreatedDate"] for v in answer["Versions"] if "AWSCURRENT" in v["VersionStages"]
        ]
    used = {s["valueFrom"] for _, c in evidence.containers() for s in c["secrets"]}
    arns = {":".join(value.split(":")[:7]) for value in used}
    assert arns <= newest.keys()
    started = min(task["createdAt"] for task in evidence.tasks())
    return {arn for arn in arns if newest[arn] > started}


@check("SEC-04")
def public_secrets(evidence):
    found = set()
    for secret in evidence.secrets():
        answer = evidence.ask("secretsmanager", "get_resource_policy", SecretId=secret["ARN"])
        statements = json.loads(answer.get("ResourcePolicy", '{"Statement": []}'))["Statement"]
        found |= {secret["Name"] for statement in statements if statement["Principal"] == "*"}
    return found


@check("SEC-05")
def unused_secrets(evidence):
    long_ago = datetime.now(UTC) - timedelta(days=90)
    return {s["Name"] for s in evidence.secrets() if s["LastAccessedDate"] < long_ago}
