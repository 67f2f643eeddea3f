"""Checks of services, images and load balancers."""

from __future__ import annotations

import re
from functools import partial

from tests.sandbox.security.checks.register import CHECKS, check

MODERN_TLS = ("ELBSecurityPolicy-TLS13-", "ELBSecurityPolicy-TLS-1-2-")


def of_containers(fails, evidence):
    return {family for family, container in evidence.containers() if fails(container)}


def of_services(fails, evidence):
    return {name for name, service in evidence.services() if fails(service)}


def of_balancers(fails, evidence):
    return {b["LoadBalancerName"] for b in evidence.balancers() if fails(evidence, b)}


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
