"""Checks of the network, of identity and of what watches over the account."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

from tests.sandbox.security.checks.register import check


def ports(permission):
    return range(permission.get("FromPort", 0), permission.get("ToPort", 65535) + 1)


@check("NET-01")
def remote_shells(evidence):
    return {g["GroupName"] for g, p in evidence.openings() if {22, 3389} & set(ports(p))}


@check("NET-02")
def open_stores(evidence):
    return {g["GroupName"] for g, p in evidence.openings() if {5432, 6379} & set(ports(p))}


@check("NET-03")
def unauthorised_ports(evidence):
    used = {group for b in evidence.balancers() for group in b["SecurityGroups"]}
    return {
        group["GroupName"]
        for group, permission in evidence.openings()
        if set(ports(permission)) - {80, 443} or group["GroupId"] not in used
    }


@check("NET-04")
def wide_open(evidence):
    return {g["GroupName"] for g, p in evidence.openings() if p["IpProtocol"] == "-1"}


@check("NET-05")
def missing_tiers(evidence):
    balancers = {g for b in evidence.balancers() for g in b["SecurityGroups"]}
    apps = {
        group
        for _, service in evidence.services()
        for group in service["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"]
    }
    stores = {
        group["VpcSecurityGroupId"]
        for database in evidence.databases()
        for group in database["VpcSecurityGroups"]
    }
    for cluster in evidence.ask("elasticache", "describe_cache_clusters")["CacheClusters"]:
        stores |= {group["SecurityGroupId"] for group in cluster["SecurityGroups"]}
    admitted = dict.fromkeys(stores, apps) | dict.fromkeys(apps, balancers)
    return {
        group["GroupName"]
        for group in evidence.groups()
        for permission in group["IpPermissions"]
        if group["GroupId"] in admitted
        and (
            permission["IpRanges"]
            or {p["GroupId"] for p in permission["UserIdGroupPairs"]} - admitted[group["GroupId"]]
        )
    }


@check("NET-06")
def default_groups(evidence):
    return {
        group["GroupName"]
        for group in evidence.groups()
        if group["GroupName"] == "default"
        and (group["IpPermissions"] or group["IpPermissionsEgress"])
    }


@check("NET-07")
def unlogged_networks(evidence):
    logged = {log["ResourceId"] for log in evidence.ask("ec2", "describe_flow_logs")["FlowLogs"]}
    vpcs = {balancer["VpcId"] for balancer in evidence.balancers()} - logged
    named = evidence.ask("ec2", "describe_vpcs", VpcIds=sorted(vpcs))["Vpcs"]
    return {tag["Value"] for vpc in named for tag in vpc["Tags"] if tag["Key"] == "Name"}


@check("NET-10")
def unused_groups(evidence):
    interfaces = evidence.ask("ec2", "describe_network_interfaces")["NetworkInterfaces"]
    used = {group["GroupId"] for interface in interfaces for group in interface["Groups"]}
    for group in evidence.groups():
        for permission in group["IpPermissions"]:
            used |= {pair["GroupId"] for pair in permission["UserIdGroupPairs"]}
    return {
        group["GroupName"]
        for group in evidence.groups()
        if group["GroupId"] not in used and group["GroupName"] != "default"
    }


def principals(role, kind):
    return [
        t["Principal"][kind]
        for t in role["AssumeRolePolicyDocument"]["Statement"]
        if kind in t["Principal"]
    ]


@check("IAM-01")
def everything_allowed(evidence):
    return {
        role["RoleName"]
        for role in evidence.roles()
        for statement in evidence.statements(role)
        if statement["Action"] in ("*", ["*"]) and statement["Resource"] == "*"
    }


@check("IAM-02")
def administrators(evidence):
    return {
        role["RoleName"]
        for role in evidence.roles()
        for policy in role["AttachedManagedPolicies"]
        if policy["PolicyName"] == "AdministratorAccess"
    }


@check("IAM-03")
def escalations(evidence):
    actions = ["iam:PassRole", "ecs:RegisterTaskDefinition", "ecs:UpdateService"]
    found = set()
    for role in evidence.roles():
        answer = evidence.ask(
            "iam", "simulate_principal_policy", PolicySourceArn=role["Arn"], ActionNames=actions
        )
        if {r["EvalDecision"] for r in answer["EvaluationResults"]} == {"allowed"}:
            found.add(role["RoleName"])
    return found


@check("IAM-04")
def unlimited_passing(evidence):
    return {
        role["RoleName"]
        for role in evidence.roles()
        for statement in evidence.statements(role)
        if "iam:PassRole" in statement["Action"]
        and (statement["Resource"] == "*" or "Condition" not in statement)
    }


@check("IAM-05")
def loose_repositories(evidence):
    return {
        role["RoleName"]
        for role in evidence.roles()
        if principals(role, "Federated")
        and any(":*" in json.dumps(trust["Condition"]) for trust in evidence.trusts(role))
    }


@check("IAM-06")
def confused_deputies(evidence):
    return {
        role["RoleName"]
        for role in evidence.roles()
        if principals(role, "Service")
        and any("Condition" not in trust for trust in evidence.trusts(role))
    }


@check("IAM-07")
def stale_keys(evidence):
    old = (datetime.now(UTC) - timedelta(days=90)).isoformat()
    return {
        row["user"]
        for row in evidence.report()
        if row["access_key_1_active"] == "true" and row["access_key_1_last_rotated"] < old
    }


@check("IAM-08")
def unprotected_root(evidence):
    summary = evidence.ask("iam", "get_account_summary")["SummaryMap"]
    safe = summary["AccountMFAEnabled"] == 1 and summary["AccountAccessKeysPresent"] == 0
    return set() if safe else {"root"}


@check("IAM-09")
def every_secret(evidence):
    return {
        role["RoleName"]
        for role in evidence.roles()
        for statement in evidence.statements(role)
        if "secretsmanager:GetSecretValue" in statement["Action"] and statement["Resource"] == "*"
    }


@check("IAM-10")
def unused_services(evidence):
    iam = evidence.client("iam")
    role = next(r for r in evidence.roles() if r["RoleName"] == "github-deploy")
    job = iam.generate_service_last_accessed_details(Arn=role["Arn"])["JobId"]
    while True:
        answer = iam.get_service_last_accessed_details(JobId=job)
        if answer["JobStatus"] == "COMPLETED":
            break
        time.sleep(0.2)
    services = answer["ServicesLastAccessed"]
    return {s["ServiceNamespace"] for s in services if "LastAuthenticated" not in s}


@check("OBS-01")
def silent_alarms(evidence):
    found = evidence.ask("cloudwatch", "describe_alarms")["MetricAlarms"]
    assert found
    return {a["AlarmName"] for a in found if not (a["ActionsEnabled"] and a["AlarmActions"])}


@check("OBS-02")
def endless_logs(evidence):
    found = evidence.ask("logs", "describe_log_groups")["logGroups"]
    assert found
    return {group["logGroupName"] for group in found if "retentionInDays" not in group}


@check("OBS-04")
def trails(evidence):
    found = evidence.ask("cloudtrail", "describe_trails")["trailList"]
    assert found
    return {
        trail["Name"]
        for trail in found
        if not trail["IsMultiRegionTrail"]
        or not evidence.ask("cloudtrail", "get_trail_status", Name=trail["Name"])["IsLogging"]
    }


@check("OBS-05")
def detectors(evidence):
    return set(evidence.ask("guardduty", "list_detectors")["DetectorIds"])


@check("OBS-06")
def unwatched_images(evidence):
    (account,) = evidence.ask("inspector2", "batch_get_account_status")["accounts"]
    return set() if account["resourceState"]["ecr"]["status"] == "ENABLED" else {"ecr"}


@check("OBS-07")
def unrotated_keys(evidence):
    aliases = evidence.ask("kms", "list_aliases")["Aliases"]
    return {
        alias["AliasName"]
        for alias in aliases
        if not alias["AliasName"].startswith("alias/aws/")
        and not evidence.ask("kms", "get_key_rotation_status", KeyId=alias["TargetKeyId"])[
            "KeyRotationEnabled"
        ]
    }
