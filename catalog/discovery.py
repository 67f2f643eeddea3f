"""Keeps the catalog as ECS says it is, completed by tags and `services.yaml`."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.text import slugify

from aws import clients, elbv2, sts
from aws.ecs import services as ecs
from aws.ecs import task_definitions
from aws.ecs.task_definitions import TaskDefinition
from aws.errors import AwsError
from catalog import services_file
from catalog.models import Account, Service
from catalog.services_file import Malformed, ServiceEntry

log = logging.getLogger(__name__)

# The cluster tag whose text every page shows as a banner.
NOTICE_TAG = "quarterdeck:notice"
FROM_TAGS = {"environment": "environment", "owner": "owner"}


def discover(*, at: datetime) -> None:
    """Read the account once. A failure is recorded on the account and what was known stays.

    :raises AwsError: when AWS could not be read.
    """
    try:
        account = _account()
        clusters = ecs.clusters()
        found = [service for cluster in clusters for service in ecs.services(cluster.name)]
        balancers = _load_balancers(found)
        definitions = {arn: task_definitions.describe(arn) for arn in _unknown_images(found)}
    except AwsError as error:
        Account.objects.update(read_error=str(error))
        raise
    notice = next((c.tags[NOTICE_TAG] for c in clusters if NOTICE_TAG in c.tags), "")
    entries, problem = _entries()
    with transaction.atomic():
        for service in found:
            entry = entries.get((service.cluster, service.name))
            changes = _fields(service, balancers, definitions, entry)
            _save(account, service, changes | {"read_at": at, "gone_at": None})
        _mark_gone(account, found, at)
        Account.objects.filter(pk=account.pk).update(
            read_at=at, read_error=problem, notice=notice[:200]
        )


def _account() -> Account:
    account_id = sts.account_id()
    account, _ = Account.objects.get_or_create(
        account_id=account_id, defaults={"name": account_id, "region": clients.region()}
    )
    return account


def _entries() -> tuple[dict[tuple[str, str], ServiceEntry], str]:
    """Return the entries of services.yaml, or what is wrong with it."""
    try:
        entries = services_file.read(settings.SERVICES_FILE)
    except Malformed as error:
        log.error("%s", error)
        return {}, str(error)
    return {(entry.cluster, entry.name): entry for entry in entries}, ""


def _load_balancers(found: Iterable[ecs.EcsService]) -> dict[str, str]:
    """Return the load balancer's dimension value by target group ARN."""
    arns = sorted({arn for service in found for arn in service.target_groups})
    return {group.arn: group.load_balancer for group in elbv2.target_groups(arns)}


def _unknown_images(found: Iterable[ecs.EcsService]) -> set[str]:
    """Task definitions never change, so what a service's row already says is not asked again."""
    known = dict(Service.objects.exclude(image="").values_list("arn", "task_definition"))
    wanted = {
        service.task_definition
        for service in found
        if known.get(service.arn) != service.task_definition
    }
    return wanted - {""}


def _fields(
    service: ecs.EcsService,
    balancers: Mapping[str, str],
    definitions: Mapping[str, TaskDefinition],
    entry: ServiceEntry | None,
) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "status": service.status,
        "controller": service.controller,
        "strategy": service.strategy,
        "desired_count": service.desired_count,
        "running_count": service.running_count,
        "pending_count": service.pending_count,
        "task_definition": service.task_definition,
        "target_groups": list(service.target_groups),
        "production_rule": service.production_rule,
        "load_balancer": next(
            (balancers[arn] for arn in service.target_groups if balancers.get(arn)), ""
        ),
        "tags": dict(service.tags),
    }
    fields |= {field: service.tags[tag] for field, tag in FROM_TAGS.items() if tag in service.tags}
    if definition := definitions.get(service.task_definition):
        fields |= {
            "image": definition.image,
            "cpu_units": definition.cpu,
            "memory_mib": definition.memory,
        }
    return fields | (entry.fields if entry else {})


def _save(account: Account, service: ecs.EcsService, fields: dict[str, Any]) -> None:
    identity = {
        "account": account,
        "region": account.region,
        "cluster": service.cluster,
        "name": service.name,
    }
    new = {"arn": service.arn, "slug": _slug(service), "title": service.name}
    Service.objects.update_or_create(
        **identity,
        defaults=_fitting(fields),
        create_defaults=_fitting(identity | new | fields),
    )


def _fitting(fields: dict[str, Any]) -> dict[str, Any]:
    """Cut texts to what their columns hold: one long tag must not hide the whole account."""
    return {
        name: value[: getattr(Service._meta.get_field(name), "max_length", None)]
        if isinstance(value, str)
        else value
        for name, value in fields.items()
    }


def _slug(service: ecs.EcsService) -> str:
    """Return a readable slug; names that differ only in punctuation get a digest behind it."""
    readable = slugify(f"{service.cluster}-{service.name}")[:180] or "service"
    taken = Service.objects.filter(slug=readable).exclude(arn=service.arn).exists()
    digest = hashlib.blake2b(service.arn.encode(), digest_size=4).hexdigest()
    return f"{readable}-{digest}" if taken else readable


def _mark_gone(account: Account, found: Iterable[ecs.EcsService], at: datetime) -> None:
    present = [service.arn for service in found]
    account.services.present().exclude(arn__in=present).update(gone_at=at)
