from __future__ import annotations

from django.conf import settings
from django.db import models

from catalog.models.append_only import append_only


class AuditEntry(models.Model):
    """Who did what to what, from where, with which outcome. Append-only and hash-chained."""

    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    actor_name = models.CharField(max_length=150)
    action = models.CharField(max_length=80)
    target = models.CharField(max_length=300)
    outcome = models.CharField(max_length=20)
    detail = models.JSONField(default=dict)
    address = models.CharField(max_length=45, blank=True)
    request_id = models.CharField(max_length=128, blank=True)
    previous_hash = models.CharField(max_length=64, unique=True)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ["-id"]
        indexes = [models.Index(fields=["target", "-id"]), models.Index(fields=["-at"])]
        triggers = append_only("the audit log")

    def __str__(self) -> str:
        return f"{self.actor_name} {self.action} {self.target}: {self.outcome}"
