from __future__ import annotations

from django.db import models

SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED")


class Repository(models.Model):
    """An ECR repository that a service runs from. `read_error` says why reading failed last."""

    uri = models.CharField(max_length=512, unique=True)
    read_at = models.DateTimeField(null=True, blank=True)
    read_error = models.TextField(blank=True)
    refresh_requested_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "repositories"

    def __str__(self) -> str:
        return self.uri

    @property
    def name(self) -> str:
        """ECR's own name: what follows the registry's host."""
        return self.uri.partition("/")[2]


class Image(models.Model):
    """An image in ECR as last read. `size` is compressed bytes; `findings` counts by severity."""

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="images")
    digest = models.CharField(max_length=100)
    tags = models.JSONField(default=list)
    pushed_at = models.DateTimeField()
    size = models.BigIntegerField(default=0)
    scan_status = models.CharField(max_length=40, blank=True)
    findings = models.JSONField(default=dict)

    class Meta:
        ordering = ["-pushed_at"]
        constraints = [models.UniqueConstraint(name="image_once", fields=["repository", "digest"])]

    def __str__(self) -> str:
        return f"{self.repository.name}:{self.name}"

    @property
    def worst_first(self) -> list[tuple[str, int]]:
        """The findings by falling severity: PostgreSQL does not keep the order of a JSON object."""
        known = {level: place for place, level in enumerate(SEVERITIES)}
        return sorted(self.findings.items(), key=lambda found: known.get(found[0], len(known)))

    @property
    def name(self) -> str:
        """The first tag, or the first 12 digits of the digest."""
        return self.tags[0] if self.tags else self.digest.removeprefix("sha256:")[:12]
