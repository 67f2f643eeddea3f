from __future__ import annotations

from django.db import models

from deployments.models.release import Release


class Outcome(models.TextChoices):
    PASS = "PASS", "Pass"
    WARN = "WARN", "Warning"
    UNKNOWN = "UNKNOWN", "Unknown"
    BLOCK = "BLOCK", "Blocks the release"


_TONES = {
    Outcome.PASS: "ok",
    Outcome.WARN: "warning",
    Outcome.UNKNOWN: "warning",
    Outcome.BLOCK: "danger",
}


class PreflightResult(models.Model):
    """What one check found before the release; replaced as a set when the checks run again."""

    release = models.ForeignKey(Release, models.CASCADE, related_name="preflight")
    position = models.PositiveSmallIntegerField()
    check_name = models.CharField(max_length=60)
    outcome = models.CharField(max_length=8, choices=Outcome)
    text = models.TextField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                name="preflight_once_per_release", fields=["release", "check_name"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.check_name}: {self.outcome}"

    @property
    def blocks(self) -> bool:
        return self.outcome == Outcome.BLOCK

    @property
    def tone(self) -> str:
        return _TONES[Outcome(self.outcome)]
