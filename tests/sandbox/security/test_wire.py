"""The security surface over the wire: shapes by botocore's models, errors by AWS's names."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.contract import checked
from tests.sandbox.security.asking import ACCOUNT, DEPLOY

NEWS = {"repositoryName": "news-api"}
TAG = {"imageId": {"imageTag": "1.4.0"}}
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:news-rotate-secret"


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "key"),
    [
        ("ecr", "DescribeImages", NEWS, "imageDetails"),
        ("ecr", "DescribeImages", NEWS | {"imageIds": [TAG["imageId"]]}, "imageDetails"),
        ("ecr", "DescribeImageScanFindings", NEWS | TAG, "imageScanFindings"),
        ("ecr", "GetRegistryScanningConfiguration", {}, "scanningConfiguration"),
        (
            "ecr",
            "BatchGetRepositoryScanningConfiguration",
            {"repositoryNames": ["news-api", "missing"]},
            "failures",
        ),
        ("inspector2", "ListFindings", {}, "findings"),
        ("inspector2", "ListCoverage", {}, "coveredResources"),
        ("inspector2", "ListCoverageStatistics", {}, "totalCounts"),
        ("inspector2", "BatchGetAccountStatus", {}, "accounts"),
        *(
            ("inspector2", "ListFindingAggregations", {"aggregationType": kind}, "responses")
            for kind in (
                "ACCOUNT",
                "FINDING_TYPE",
                "PACKAGE",
                "TITLE",
                "REPOSITORY",
                "AWS_ECR_CONTAINER",
            )
        ),
        ("secretsmanager", "ListSecrets", {}, "SecretList"),
        ("secretsmanager", "DescribeSecret", {"SecretId": "news-api/database"}, "RotationRules"),
        ("secretsmanager", "ListSecretVersionIds", {"SecretId": "news-api/database"}, "Versions"),
        (
            "secretsmanager",
            "BatchGetSecretValue",
            {"SecretIdList": ["news-api/feed-token", "missing"]},
            "Errors",
        ),
        (
            "secretsmanager",
            "GetResourcePolicy",
            {"SecretId": "news-tools/migration"},
            "ResourcePolicy",
        ),
        ("secretsmanager", "GetRandomPassword", {}, "RandomPassword"),
        ("secretsmanager", "ValidateResourcePolicy", {"ResourcePolicy": '{"Statement": []}'}, ""),
        (
            "iam",
            "SimulatePrincipalPolicy",
            {"PolicySourceArn": DEPLOY, "ActionNames": ["iam:PassRole"]},
            "EvaluationResults",
        ),
        ("rds", "DescribeDBParameters", {"DBParameterGroupName": "news-postgres16"}, "Parameters"),
        ("rds", "DescribeCertificates", {}, "Certificates"),
        ("rds", "DescribePendingMaintenanceActions", {}, "PendingMaintenanceActions"),
        ("rds", "DescribeDBEngineVersions", {"Engine": "postgres"}, "DBEngineVersions"),
        ("rds", "DescribeReservedDBInstances", {}, ""),
        ("rds", "DescribeEvents", {"Duration": 20160, "SourceType": "db-instance"}, "Events"),
        ("elasticache", "DescribeReplicationGroups", {}, "ReplicationGroups"),
        ("elasticache", "DescribeCacheClusters", {"ShowCacheNodeInfo": True}, "CacheClusters"),
        ("elasticache", "DescribeEvents", {"Duration": 20160}, "Events"),
        ("elasticache", "DescribeUpdateActions", {}, "UpdateActions"),
        ("elasticache", "DescribeReservedCacheNodes", {}, ""),
    ],
    ids=str,
)
def test_an_answer_has_its_shape_and_something_in_it(account, service, operation, parameters, key):
    answer = checked(account.client(service), operation, **parameters)

    assert not key or answer[key]


@pytest.mark.parametrize(
    ("service", "method", "parameters", "code"),
    [
        (
            "ecr",
            "describe_images",
            {"repositoryName": "missing"},
            "RepositoryNotFoundException",
        ),
        (
            "ecr",
            "describe_image_scan_findings",
            NEWS | {"imageId": {"imageTag": "0.0.0"}},
            "ImageNotFoundException",
        ),
        (
            "ecr",
            "describe_image_scan_findings",
            {"repositoryName": "news-tools", "imageId": {"imageTag": "scratch"}},
            "ScanNotFoundException",
        ),
        ("ecr", "start_image_scan", NEWS | TAG, "ValidationException"),
        (
            "ecr",
            "describe_images",
            NEWS | {"nextToken": "mine"},
            "InvalidParameterException",
        ),
        ("inspector2", "list_findings", {"nextToken": "mine"}, "ValidationException"),
        ("inspector2", "get_member", {"accountId": "210987654321"}, "AccessDeniedException"),
        ("inspector2", "disassociate_member", {"accountId": "1" * 12}, "AccessDeniedException"),
        (
            "inspector2",
            "list_finding_aggregations",
            {"aggregationType": "AMI"},
            "ValidationException",
        ),
        (
            "secretsmanager",
            "rotate_secret",
            {"SecretId": "news-api/feed-token"},
            "InvalidRequestException",
        ),
        (
            "secretsmanager",
            "get_secret_value",
            {"SecretId": "missing"},
            "ResourceNotFoundException",
        ),
        (
            "iam",
            "simulate_principal_policy",
            {"PolicySourceArn": DEPLOY + "x", "ActionNames": ["s3:GetObject"]},
            "NoSuchEntity",
        ),
        (
            "iam",
            "simulate_principal_policy",
            {"PolicySourceArn": DEPLOY, "ActionNames": ["everything"]},
            "InvalidInput",
        ),
        ("iam", "get_service_last_accessed_details", {"JobId": "1" * 36}, "NoSuchEntity"),
        (
            "rds",
            "describe_db_parameters",
            {"DBParameterGroupName": "missing"},
            "DBParameterGroupNotFound",
        ),
        (
            "rds",
            "describe_certificates",
            {"CertificateIdentifier": "rds-ca-2015"},
            "CertificateNotFound",
        ),
        (
            "rds",
            "describe_pending_maintenance_actions",
            {"ResourceIdentifier": "arn:aws:rds:us-east-1:123456789012:db:missing"},
            "ResourceNotFoundFault",
        ),
        (
            "elasticache",
            "describe_replication_groups",
            {"ReplicationGroupId": "missing"},
            "ReplicationGroupNotFoundFault",
        ),
        (
            "elasticache",
            "describe_cache_clusters",
            {"CacheClusterId": "missing"},
            "CacheClusterNotFound",
        ),
        (
            "rds",
            "describe_events",
            {"SourceIdentifier": "news-production"},
            "InvalidParameterCombination",
        ),
        ("elasticache", "describe_events", {"Marker": "mine"}, "InvalidParameterValue"),
        (
            "elasticache",
            "modify_replication_group",
            {"ReplicationGroupId": "news-production", "ClusterMode": "enabled"},
            "InvalidParameterValue",
        ),
    ],
    ids=str,
)
def test_a_refusal_has_awss_name(account, service, method, parameters, code):
    with pytest.raises(ClientError) as refused:
        getattr(account.client(service), method)(**parameters)

    assert refused.value.response["Error"]["Code"] == code


def test_a_secret_lives_over_the_wire(account):
    secrets = account.client("secretsmanager")
    named = {"SecretId": "contract/secret"}
    try:
        checked(secrets, "CreateSecret", Name=named["SecretId"], SecretBinary=b"\x00one")
        first = checked(secrets, "GetSecretValue", **named)
        put = checked(secrets, "PutSecretValue", **named, SecretString="two")
        checked(secrets, "UpdateSecret", **named, Description="Written by a test")
        checked(secrets, "TagResource", **named, Tags=[{"Key": "owner", "Value": "tests"}])
        checked(secrets, "UntagResource", **named, TagKeys=["owner"])
        checked(secrets, "PutResourcePolicy", **named, ResourcePolicy='{"Statement": []}')
        checked(secrets, "DeleteResourcePolicy", **named)
        checked(
            secrets,
            "UpdateSecretVersionStage",
            **named,
            VersionStage="AWSCURRENT",
            RemoveFromVersionId=put["VersionId"],
            MoveToVersionId=first["VersionId"],
        )
        again = secrets.get_secret_value(**named)
        rotation = {"RotationLambdaARN": FUNCTION, "RotationRules": {"AutomaticallyAfterDays": 9}}
        rotated = checked(secrets, "RotateSecret", **named, **rotation)
        canceled = checked(secrets, "CancelRotateSecret", **named)
        checked(secrets, "DeleteSecret", **named, RecoveryWindowInDays=7)
        checked(secrets, "RestoreSecret", **named)
    finally:
        secrets.delete_secret(**named, ForceDeleteWithoutRecovery=True)

    assert first["SecretBinary"] == again["SecretBinary"] == b"\x00one"
    assert canceled["VersionId"] == rotated["VersionId"]


def test_findings_come_in_pages(account):
    ecr = account.client("ecr")
    pages = ecr.get_paginator("describe_image_scan_findings").paginate(
        repositoryName="news-api", imageId={"imageTag": "1.3.4"}, PaginationConfig={"PageSize": 3}
    )

    found = [f["title"] for page in pages for f in page["imageScanFindings"]["enhancedFindings"]]

    assert len(found) == len(set(found)) > 9


def test_inspector_tells_details_of_what_it_found(account):
    inspector = account.client("inspector2")
    arn = inspector.list_findings(maxResults=1)["findings"][0]["findingArn"]

    answer = checked(inspector, "BatchGetFindingDetails", findingArns=[arn, arn + "x"])

    assert [detail["findingArn"] for detail in answer["findingDetails"]] == [arn]
    assert [error["findingArn"] for error in answer["errors"]] == [arn + "x"]


def test_inspector_is_switched_on_and_off(account):
    inspector = account.client("inspector2")

    on = checked(inspector, "Enable", resourceTypes=["LAMBDA"])
    off = checked(inspector, "Disable", resourceTypes=["LAMBDA"])

    statuses = [answer["accounts"][0]["resourceStatus"]["lambda"] for answer in (on, off)]
    assert statuses == ["ENABLED", "DISABLED"]


def test_a_changed_cache_shows_its_change(account):
    cache = account.client("elasticache")
    named = {"ReplicationGroupId": "news-production"}

    answer = checked(cache, "ModifyReplicationGroup", **named, TransitEncryptionEnabled=True)
    cache.modify_replication_group(**named, TransitEncryptionEnabled=False)

    assert answer["ReplicationGroup"]["TransitEncryptionMode"] == "required"
    shown = cache.describe_replication_groups(**named)["ReplicationGroups"][0]
    assert shown["TransitEncryptionEnabled"] is False


def test_a_custom_policy_is_simulated_within_its_boundary(account):
    everything = json.dumps({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
    reading = json.dumps({"Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}})

    answer = checked(
        account.client("iam"),
        "SimulateCustomPolicy",
        PolicyInputList=[everything],
        PermissionsBoundaryPolicyInputList=[reading],
        ActionNames=["s3:GetObject", "s3:PutObject"],
        MaxItems=1,
    )
    rest = account.client("iam").simulate_custom_policy(
        PolicyInputList=[everything],
        PermissionsBoundaryPolicyInputList=[reading],
        ActionNames=["s3:GetObject", "s3:PutObject"],
        MaxItems=1,
        Marker=answer["Marker"],
    )

    decisions = [a["EvaluationResults"][0]["EvalDecision"] for a in (answer, rest)]
    assert decisions == ["allowed", "implicitDeny"]


def test_a_boundary_that_denies_is_what_decided(account):
    everything = json.dumps({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
    never = json.dumps({"Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}})

    answer = checked(
        account.client("iam"),
        "SimulateCustomPolicy",
        PolicyInputList=[everything],
        PermissionsBoundaryPolicyInputList=[never],
        ActionNames=["s3:PutObject"],
    )

    (result,) = answer["EvaluationResults"]
    assert result["EvalDecision"] == "explicitDeny"
    (decisive,) = result["MatchedStatements"]
    assert decisive["SourcePolicyId"] == "PermissionsBoundaryPolicyInputList.1"
