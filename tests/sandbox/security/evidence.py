"""The security catalogue's checks, each as the names of what fails, asked through boto3."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from datetime import UTC, datetime, timedelta
from functools import partial

ANYWHERE = ("0.0.0.0/0", "::/0")
MODERN_TLS = ("ELBSecurityPolicy-TLS13-", "ELBSecurityPolicy-TLS-1-2-")


class Evidence:
    """Answers of one account, each asked for once."""

    def __init__(self, account):
        self.client = account.client
        self._known = {}

    def ask(self, service, operation, **parameters):
        key = (service, operation, json.dumps(parameters, sort_keys=True))
        if key not in self._known:
            self._known[key] = getattr(self.client(service), operation)(**parameters)
        return self._known[key]

    # -- what stands in the account ----------------------------------------------------------------

    def services(self):
        """(cluster/name, service) of every service."""
        for cluster in ("production", "staging"):
            names = self.ask("ecs", "list_services", cluster=cluster)["serviceArns"]
            found = self.ask("ecs", "describe_services", cluster=cluster, services=sorted(names))
            for service in found["services"]:
                yield f"{cluster}/{service['serviceName']}", service

    def containers(self):
        """(family, container) of what services run."""
        for arn in sorted({service["taskDefinition"] for _, service in self.services()}):
            found = self.ask("ecs", "describe_task_definition", taskDefinition=arn)
            definition = found["taskDefinition"]
            for container in definition["containerDefinitions"]:
                yield definition["family"], container

    def tasks(self):
        for cluster in ("production", "staging"):
            arns = self.ask("ecs", "list_tasks", cluster=cluster)["taskArns"]
            yield from self.ask("ecs", "describe_tasks", cluster=cluster, tasks=arns)["tasks"]

    def repositories(self):
        return self.ask("ecr", "describe_repositories")["repositories"]

    def balancers(self):
        return self.ask("elbv2", "describe_load_balancers")["LoadBalancers"]

    def attribute(self, balancer, key):
        found = self.ask(
            "elbv2",
            "describe_load_balancer_attributes",
            LoadBalancerArn=balancer["LoadBalancerArn"],
        )
        return {a["Key"]: a["Value"] for a in found["Attributes"]}.get(key)

    def listeners(self, balancer):
        found = self.ask("elbv2", "describe_listeners", LoadBalancerArn=balancer["LoadBalancerArn"])
        return found["Listeners"]

    def databases(self):
        return self.ask("rds", "describe_db_instances")["DBInstances"]

    def caches(self):
        return self.ask("elasticache", "describe_replication_groups")["ReplicationGroups"]

    def secrets(self):
        return self.ask("secretsmanager", "list_secrets")["SecretList"]

    def groups(self):
        return self.ask("ec2", "describe_security_groups")["SecurityGroups"]

    def openings(self):
        """(group, permission) of everything that anybody on the internet may reach."""
        for group in self.groups():
            for permission in group["IpPermissions"]:
                if any(r["CidrIp"] in ANYWHERE for r in permission["IpRanges"]):
                    yield group, permission

    def roles(self):
        return self.ask("iam", "get_account_authorization_details", Filter=["Role"])[
            "RoleDetailList"
        ]

    def statements(self, role):
        for policy in role["RolePolicyList"]:
            yield from policy["PolicyDocument"]["Statement"]

    def trusts(self, role):
        return role["AssumeRolePolicyDocument"]["Statement"]

    def report(self):
        iam = self.client("iam")
        while iam.generate_credential_report()["State"] != "COMPLETE":
            time.sleep(0.2)
        text = iam.get_credential_report()["Content"].decode()
        return list(csv.DictReader(io.StringIO(text)))


CHECKS = {}


def check(*names):
    """Register how to find what fails a check."""

    def register(function):
        for name in names:
            CHECKS[name] = function
        return function

    return register


def of_containers(fails, evidence):
    return {family for family, container in evidence.containers() if fails(container)}


def of_services(fails, evidence):
    return {name for name, service in evidence.services() if fails(service)}


def of_balancers(fails, evidence):
    return {b["LoadBalancerName"] for b in evidence.balancers() if fails(evidence, b)}


def of_databases(fails, evidence):
    return {db["DBInstanceIdentifier"] for db in evidence.databases() if fails(db)}


def of_caches(fails, evidence):
    return {group["ReplicationGroupId"] for group in evidence.caches() if fails(group)}


def pasted(container):
    return any(re.search("TOKEN|SECRET|PASSWORD", v["name"]) for v in container["environment"])


def rolls_back(service):
    configuration = service["deploymentConfiguration"]
    breaker = configuration.get("deploymentCircuitBreaker", {})
    return breaker.get("rollback") or configuration.get("alarms", {}).get("rollback")


def options(container):
    return container.get("logConfiguration", {}).get("options", {})


CHECKS |= {
    "ECS-01": partial(of_containers, lambda c: c.get("privileged")),
    "ECS-02": partial(of_containers, pasted),
    "ECS-03": partial(of_containers, lambda c: not c.get("readonlyRootFilesystem")),
    "ECS-04": partial(of_containers, lambda c: c.get("user", "0").split(":")[0] in ("0", "root")),
    "ECS-05": partial(of_containers, lambda c: not c.get("logConfiguration", {}).get("logDriver")),
    "ECS-06": partial(of_containers, lambda c: options(c).get("mode") != "non-blocking"),
    "ECS-07": partial(
        of_services,
        lambda s: s["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] == "ENABLED",
    ),
    "ECS-08": partial(of_services, lambda s: s["platformVersion"] not in ("1.4.0", "LATEST")),
    "ECS-12": partial(of_services, lambda s: not rolls_back(s)),
    "ALB-01": partial(
        of_balancers,
        lambda e, b: any(
            listener["Protocol"] == "HTTP" and listener["DefaultActions"][0]["Type"] != "redirect"
            for listener in e.listeners(b)
        ),
    ),
    "ALB-02": partial(
        of_balancers,
        lambda e, b: any(
            listener["Protocol"] == "HTTPS" and not listener["SslPolicy"].startswith(MODERN_TLS)
            for listener in e.listeners(b)
        ),
    ),
    "ALB-03": partial(
        of_balancers,
        lambda e, b: e.attribute(b, "routing.http.drop_invalid_header_fields.enabled") != "true",
    ),
    "ALB-04": partial(
        of_balancers,
        lambda e, b: e.attribute(b, "routing.http.desync_mitigation_mode") == "monitor",
    ),
    "ALB-05": partial(
        of_balancers, lambda e, b: e.attribute(b, "access_logs.s3.enabled") != "true"
    ),
    "ALB-06": partial(
        of_balancers, lambda e, b: e.attribute(b, "deletion_protection.enabled") != "true"
    ),
    "ALB-08": partial(
        of_balancers,
        lambda e, b: (
            b["Scheme"] == "internet-facing"
            and "WebACL"
            not in e.ask("wafv2", "get_web_acl_for_resource", ResourceArn=b["LoadBalancerArn"])
        ),
    ),
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


@check("ECS-09")
def insights(evidence):
    found = evidence.ask(
        "ecs", "describe_clusters", clusters=["production", "staging"], include=["SETTINGS"]
    )
    return {c["clusterName"] for c in found["clusters"] if c["settings"][0]["value"] == "disabled"}


@check("ECS-11")
def unpinned_images(evidence):
    fixed = {
        repository["repositoryUri"]
        for repository in evidence.repositories()
        if repository["imageTagMutability"] == "IMMUTABLE"
    }
    return {
        family
        for family, container in evidence.containers()
        if container["image"].rpartition(":")[0] not in fixed
    }


@check("ECR-01")
def unscanned_repositories(evidence):
    names = [repository["repositoryName"] for repository in evidence.repositories()]
    found = evidence.ask(
        "ecr", "batch_get_repository_scanning_configuration", repositoryNames=names
    )
    frequencies = found["scanningConfigurations"]
    return {r["repositoryName"] for r in frequencies if r["scanFrequency"] == "MANUAL"}


@check("ECR-02")
def mutable_tags(evidence):
    found = evidence.repositories()
    return {r["repositoryName"] for r in found if r["imageTagMutability"] == "MUTABLE"}


def without(evidence, operation, error):
    """Repositories that answer `operation` with an error."""
    ecr, found = evidence.client("ecr"), set()
    for repository in evidence.repositories():
        name = repository["repositoryName"]
        try:
            evidence.ask("ecr", operation, repositoryName=name)
        except getattr(ecr.exceptions, error):
            found.add(name)
    return found


@check("ECR-03")
def no_lifecycle(evidence):
    return without(evidence, "get_lifecycle_policy", "LifecyclePolicyNotFoundException")


@check("ECR-04")
def public_repositories(evidence):
    private = without(evidence, "get_repository_policy", "RepositoryPolicyNotFoundException")
    names = {repository["repositoryName"] for repository in evidence.repositories()} - private
    return {
        name
        for name in names
        if '"Principal": "*"'
        in evidence.ask("ecr", "get_repository_policy", repositoryName=name)["policyText"]
    }


@check("ECR-05")
def vulnerable_running_images(evidence):
    digests = {c["imageDigest"] for task in evidence.tasks() for c in task["containers"]}
    found = set()
    for digest in digests:
        answer = evidence.ask(
            "ecr",
            "describe_image_scan_findings",
            repositoryName="news-api",
            imageId={"imageDigest": digest},
        )
        assert answer["imageScanStatus"]["status"] == "ACTIVE"
        for finding in answer["imageScanFindings"]["enhancedFindings"]:
            if finding["severity"] == "CRITICAL" and finding["fixAvailable"] == "YES":
                found |= set(
                    finding["resources"][0]["details"]["awsEcrContainerImage"]["imageTags"]
                )
    return found


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
