from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from catalog.models import Service
from deployments.models.status import DRAFT, FINISHED, IN_FLIGHT, MOVING, Status


class Strategy(models.TextChoices):
    """ECS deployment strategies, spelled as ECS spells them."""

    CANARY = "CANARY", "Canary"
    BLUE_GREEN = "BLUE_GREEN", "Blue/green"
    LINEAR = "LINEAR", "Linear"
    ROLLING = "ROLLING", "Rolling"


class Origin(models.TextChoices):
    PORTAL = "PORTAL", "Quarterdeck"
    EXTERNAL = "EXTERNAL", "Started outside Quarterdeck"


_TONES = {
    Status.PREPARING: "neutral",
    Status.READY_TO_START: "neutral",
    Status.NEEDS_DECISION: "warning",
    Status.ROLLING_BACK: "warning",
    Status.SUCCEEDED: "ok",
    Status.ROLLED_BACK: "danger",
    Status.BROKEN: "danger",
    Status.FAILED: "danger",
    Status.STOPPED: "neutral",
    Status.CANCELLED: "neutral",
}


class ReleaseQuerySet(models.QuerySet["Release"]):
    def in_flight(self) -> ReleaseQuerySet:
        """Releases that ECS is, or is about to be, working on."""
        return self.filter(status__in=IN_FLIGHT)

    def drafts(self) -> ReleaseQuerySet:
        return self.filter(status__in=DRAFT)


class Release(models.Model):
    """What an operator wants of a service, pinned to one ECS service deployment.

    Counts are tasks, weights percent of the production traffic, times UTC. "Source" is the
    revision that served before (blue), "target" the one being released (green).
    """

    service = models.ForeignKey(Service, models.PROTECT, related_name="releases")
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.PORTAL)
    key = models.CharField(max_length=600, unique=True)
    status = models.CharField(max_length=16, choices=Status, default=Status.PREPARING)

    # What was asked for.
    image_uri = models.CharField(max_length=512, blank=True, help_text="Without tag and digest")
    tag = models.CharField(max_length=300, blank=True)
    digest = models.CharField(max_length=100, blank=True)
    previous_image = models.CharField(max_length=512, blank=True)
    strategy = models.CharField(max_length=16, choices=Strategy)
    preset = models.CharField(max_length=40, blank=True)
    configuration = models.JSONField(default=dict, help_text="As sent to UpdateService")
    previous_configuration = models.JSONField(default=dict)
    ask_before_canary = models.BooleanField(default=False)
    reason = models.CharField(max_length=500, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    requested_at = models.DateTimeField()
    restores = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="restorations"
    )

    # What preflight read.
    previous_task_definition = models.CharField(max_length=512, blank=True)
    source_revision_arn = models.CharField(max_length=512, blank=True)
    task_definition_diff = models.JSONField(default=list)
    checked_at = models.DateTimeField(null=True, blank=True)

    # What ECS made of it.
    task_definition = models.CharField(max_length=512, blank=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    started_at = models.DateTimeField(null=True, blank=True)
    update_sent_at = models.DateTimeField(null=True, blank=True)
    service_deployment_arn = models.CharField(max_length=512, unique=True, null=True, blank=True)
    target_revision_arn = models.CharField(max_length=512, blank=True)
    source_target_group = models.CharField(max_length=512, blank=True)
    target_target_group = models.CharField(max_length=512, blank=True)
    ecs_status = models.CharField(max_length=64, blank=True)
    lifecycle_stage = models.CharField(max_length=64, blank=True)
    status_reason = models.TextField(blank=True)
    source_weight = models.FloatField(null=True, blank=True)
    target_weight = models.FloatField(null=True, blank=True)
    source_running = models.PositiveIntegerField(default=0)
    source_requested = models.PositiveIntegerField(default=0)
    target_running = models.PositiveIntegerField(default=0)
    target_requested = models.PositiveIntegerField(default=0)
    traffic_since = models.DateTimeField(null=True, blank=True, help_text="First user traffic")
    baking_since = models.DateTimeField(null=True, blank=True)
    observed_at = models.DateTimeField(null=True, blank=True)
    superseded = models.BooleanField(default=False)
    problem = models.TextField(blank=True, help_text="What AWS refused or could not answer")

    # How it ended.
    rollback_requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    rollback_requested_at = models.DateTimeField(null=True, blank=True)
    rollback_reason = models.CharField(max_length=500, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    verdict = models.TextField(blank=True)
    evidence = models.JSONField(default=dict, help_text="Kept at the end: AWS forgets it")

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at", "-id"]
        indexes = [models.Index(fields=["service", "-requested_at"])]
        constraints = [
            models.CheckConstraint(
                name="release_status_known", condition=Q(status__in=Status.values)
            ),
            models.CheckConstraint(
                name="release_finished_iff_final",
                condition=Q(status__in=sorted(FINISHED), finished_at__isnull=False)
                | (~Q(status__in=sorted(FINISHED)) & Q(finished_at=None)),
            ),
            models.UniqueConstraint(
                name="release_one_in_flight_per_service",
                fields=["service"],
                condition=Q(status__in=sorted(IN_FLIGHT)),
                violation_error_message="This service already has a release in flight.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service}: {self.version}"

    def get_absolute_url(self) -> str:
        return reverse("deployments:detail", args=[self.pk])

    @property
    def state(self) -> Status:
        return Status(self.status)

    @property
    def tone(self) -> str:
        """How loud the state is: `ok`, `info`, `warning`, `danger` or `neutral`."""
        return _TONES.get(self.state, "info")

    @property
    def version(self) -> str:
        """What people call it: the tag, or the first 12 digits of the digest."""
        return self.tag or self.digest.removeprefix("sha256:")[:12] or self._revision_name

    @property
    def _revision_name(self) -> str:
        return self.task_definition.rpartition("/")[2] or "unknown revision"

    @property
    def previous_version(self) -> str:
        """What served before, as people call it; "" for the first deployment of a service."""
        name, _, digest = self.previous_image.partition("@")
        tag = name.rpartition("/")[2].partition(":")[2]
        short = digest.removeprefix("sha256:")[:12]
        return tag or short or self.previous_task_definition.rpartition("/")[2]

    @property
    def previous_name(self) -> str:
        """The previous version for use in a sentence."""
        return self.previous_version or "what ran before"

    @property
    def image(self) -> str:
        """The image as ECS is told: pinned by digest, so that a moved tag changes nothing."""
        return f"{self.image_uri}@{self.digest}" if self.digest else f"{self.image_uri}:{self.tag}"

    @property
    def is_draft(self) -> bool:
        return self.status in DRAFT

    @property
    def is_in_flight(self) -> bool:
        return self.status in IN_FLIGHT

    @property
    def is_finished(self) -> bool:
        return self.status in FINISHED

    @property
    def is_external(self) -> bool:
        return self.origin == Origin.EXTERNAL

    @property
    def is_ready_to_start(self) -> bool:
        return self.status == Status.READY_TO_START

    @property
    def is_preparing(self) -> bool:
        return self.status == Status.PREPARING

    @property
    def needs_decision(self) -> bool:
        return self.status == Status.NEEDS_DECISION

    @property
    def is_rolling_back(self) -> bool:
        return self.status == Status.ROLLING_BACK

    @property
    def can_be_rolled_back(self) -> bool:
        """Whether ECS would still take StopServiceDeployment, and nobody has asked for it yet."""
        return self.status in MOVING | {Status.STARTING} and not self.rollback_requested_at

    @property
    def can_be_cancelled(self) -> bool:
        return self.is_draft or (self.status == Status.STARTING and not self.update_sent_at)

    @property
    def can_be_restored(self) -> bool:
        """Whether going back makes sense: this release runs now, and what ran before is known."""
        if self.status != Status.SUCCEEDED or not self.previous_task_definition:
            return False
        later = Release.objects.filter(service=self.service_id, status=Status.SUCCEEDED)
        return not later.filter(finished_at__gt=self.finished_at).exists()

    @property
    def rollback_is_instant(self) -> bool:
        """Until clean-up the old tasks still run, and going back is a change of weights."""
        return self.strategy != Strategy.ROLLING and self.status != Status.FINISHING

    @property
    def bake_minutes(self) -> int:
        return int(self.configuration.get("bakeTimeInMinutes", 0))

    def baked_at(self, seconds_per_minute: float) -> datetime | None:
        """About when ECS ends the bake, and with it the instant rollback; None outside the bake.

        ECS tells the stage and the length, never the end: it is reckoned from our first look.
        """
        if self.status != Status.BAKING or not self.baking_since:
            return None
        return self.baking_since + timedelta(seconds=seconds_per_minute * self.bake_minutes)


class ReleaseEvent(models.Model):
    """One line of a release's history; never changed, never deleted."""

    release = models.ForeignKey(Release, models.PROTECT, related_name="events")
    at = models.DateTimeField()
    status = models.CharField(max_length=16, choices=Status)
    text = models.CharField(max_length=500)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    detail: models.JSONField[Any, Any] = models.JSONField(default=dict)

    class Meta:
        ordering = ["at", "id"]
        triggers = [
            pgtrigger.Protect(
                name="release_event_append_only",
                operation=pgtrigger.Update | pgtrigger.Delete,
            )
        ]

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S} {self.text}"
