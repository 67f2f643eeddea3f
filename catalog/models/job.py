from __future__ import annotations

from django.db import models


class JobRun(models.Model):
    """The newest run of a periodic job. A slot is taken once, however many beats ring."""

    job = models.CharField(max_length=80, primary_key=True)
    slot = models.BigIntegerField(help_text="Number of the period since 1970")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    succeeded_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.job


class AwsUsage(models.Model):
    """How many requests the portal made to one AWS operation on one UTC day."""

    day = models.DateField()
    service = models.CharField(max_length=60)
    operation = models.CharField(max_length=80)
    calls = models.BigIntegerField(default=0)
    metrics = models.BigIntegerField(default=0, help_text="Metrics requested (GetMetricData)")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="aws_usage_once", fields=["day", "service", "operation"])
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.service}:{self.operation} {self.calls}"
