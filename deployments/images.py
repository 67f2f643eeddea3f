"""Keeps the images of the repositories that services run from, so that pages need not ask ECR."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from aws import ecr
from aws.errors import AwsError
from catalog.models import Service
from deployments.models import Image, Repository


def uri_of(image: str) -> str:
    """Return the repository of an image reference: without tag and digest."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def named_image(image: str) -> str:
    """Return the reference with its tag before the digest, if the tag is known: `repo:tag@…`."""
    uri, _, digest = image.partition("@")
    if not digest:
        return image
    known = Image.objects.filter(repository__uri=uri_of(uri), digest=digest).first()
    return f"{uri_of(uri)}:{known.name}@{digest}" if known and known.tags else image


def repository_for(service: Service) -> Repository | None:
    """Return the ECR repository that the service runs from, or None."""
    uri = uri_of(service.image)
    return Repository.objects.filter(uri=uri).first()


def wanted_now(*, at: datetime) -> bool:
    """Whether somebody asked for fresh images since they were read."""
    asked = Q(read_at=None) | Q(refresh_requested_at__gt=F("read_at"))
    return Repository.objects.filter(asked, refresh_requested_at__lte=at).exists()


def are_missing() -> bool:
    """Whether a repository in use has never been looked at, such as after the first discovery."""
    known = Repository.objects.exclude(read_at=None, read_error="").values_list("uri", flat=True)
    return not _uris_in_use() <= set(known)


def refresh(*, at: datetime) -> None:
    """Read the images of every repository in use; an unreadable one keeps its last images."""
    for repository in _in_use():
        try:
            found = ecr.images(repository.name)
        except AwsError as error:
            Repository.objects.filter(pk=repository.pk).update(read_error=str(error))
        else:
            _store(repository, found, at)
            _name_what_runs(repository)


def _in_use() -> list[Repository]:
    return [Repository.objects.get_or_create(uri=uri)[0] for uri in sorted(_uris_in_use())]


def _uris_in_use() -> set[str]:
    images = Service.objects.present().exclude(image="").values_list("image", flat=True)
    return {uri_of(image) for image in images if ".dkr.ecr." in image}


def _name_what_runs(repository: Repository) -> None:
    """Put the tag before the digest of services that run by digest only: people know tags."""
    pinned = Service.objects.present().filter(image__startswith=f"{repository.uri}@")
    for service in pinned:
        named = named_image(service.image)
        Service.objects.filter(pk=service.pk, image=service.image).update(image=named)


@transaction.atomic
def _store(repository: Repository, found: list[ecr.Image], at: datetime) -> None:
    Image.objects.bulk_create(
        [
            Image(
                repository=repository,
                digest=image.digest,
                tags=list(image.tags),
                pushed_at=image.pushed_at,
                size=image.size,
                scan_status=image.scan_status,
                findings=image.findings,
            )
            for image in found
        ],
        update_conflicts=True,
        unique_fields=["repository", "digest"],
        update_fields=["tags", "pushed_at", "size", "scan_status", "findings"],
    )
    repository.images.exclude(digest__in=[image.digest for image in found]).delete()
    Repository.objects.filter(pk=repository.pk).update(read_at=at, read_error="")
