from __future__ import annotations

from django.db import models

from catalog.models.account import Service


class ChangeKind(models.TextChoices):
    """What changed. Charts draw these, incidents rank them."""

    RELEASE = "RELEASE", "Release"
    ROLLBACK = "ROLLBACK", "Rollback"
    SCALING = "SCALING", "Scaling"
    ROTATION = "ROTATION", "Secret rotation"
    CONFIGURATION = "CONFIGURATION", "Configuration"
    INCIDENT = "INCIDENT", "Incident"


class ChangeEvent(models.Model):
    """Something that happened to a service at one moment, whoever did it."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="changes")
    at = models.DateTimeField()
    kind = models.CharField(max_length=16, choices=ChangeKind)
    title = models.CharField(max_length=200)
    actor = models.CharField(max_length=150, blank=True)
    url = models.CharField(max_length=300, blank=True)
    # Names the happening, so that recording it twice is one row.
    key = models.CharField(max_length=300, unique=True)

    class Meta:
        indexes = [models.Index(fields=["service", "-at"])]
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.title}"
