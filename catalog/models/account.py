from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q


class Account(models.Model):
    """An AWS account the portal reads. `read_error` says why the last reading failed, if it did."""

    account_id = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=100)
    region = models.CharField(max_length=32)
    notice = models.CharField(max_length=200, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    read_error = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.account_id})" if self.name != self.account_id else self.name


class ServiceQuerySet(models.QuerySet["Service"]):
    def present(self) -> ServiceQuerySet:
        """Services that ECS still lists."""
        return self.filter(gone_at=None)


class Service(models.Model):
    """An ECS service: what ECS says of it, completed by `services.yaml`."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="services")
    region = models.CharField(max_length=32)
    cluster = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    arn = models.CharField(max_length=512, unique=True)
    slug = models.SlugField(max_length=200, unique=True)

    # From services.yaml or tags.
    title = models.CharField(max_length=120)
    environment = models.CharField(max_length=64, blank=True)
    owner = models.CharField(max_length=120, blank=True)
    tier = models.PositiveSmallIntegerField(default=3)
    description = models.TextField(blank=True)
    latency_objective_ms = models.PositiveIntegerField(null=True, blank=True)
    availability_objective = models.DecimalField(
        max_digits=6, decimal_places=4, null=True, blank=True, help_text="Percent, such as 99.9"
    )
    db_instance = models.CharField(max_length=120, blank=True)
    cache_cluster = models.CharField(max_length=120, blank=True)
    log_group = models.CharField(max_length=512, blank=True)

    # As ECS and the load balancer say.
    status = models.CharField(max_length=32, default="ACTIVE")
    controller = models.CharField(max_length=32, default="ECS")
    strategy = models.CharField(max_length=16, default="ROLLING")
    desired_count = models.PositiveIntegerField(default=0)
    running_count = models.PositiveIntegerField(default=0)
    pending_count = models.PositiveIntegerField(default=0)
    task_definition = models.CharField(max_length=512, blank=True)
    image = models.CharField(max_length=512, blank=True)
    cpu_units = models.PositiveIntegerField(default=0, help_text="1024 units are one vCPU")
    memory_mib = models.PositiveIntegerField(default=0)
    load_balancer = models.CharField(
        max_length=255, blank=True, help_text="Dimension value, such as app/news-production/0123"
    )
    target_groups = models.JSONField(
        default=list, help_text="ARNs: the target group of the service and its alternate"
    )
    production_rule = models.CharField(max_length=512, blank=True)
    tags = models.JSONField(default=dict)
    read_at = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)

    objects = ServiceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="service_once",
                fields=["account", "region", "cluster", "name"],
            ),
            models.CheckConstraint(name="service_tier_1_to_5", condition=Q(tier__range=(1, 5))),
        ]
        ordering = ["tier", "environment", "name"]

    def __str__(self) -> str:
        return f"{self.title} · {self.environment or self.cluster}"

    def get_absolute_url(self) -> str:
        return f"/services/{self.slug}/"

    @property
    def target_group_dimensions(self) -> list[str]:
        """CloudWatch's names of the target groups: `targetgroup/<name>/<id>`."""
        return [arn.rsplit(":", 1)[-1] for arn in self.target_groups]

    @property
    def image_tag(self) -> str:
        """The running image's tag, or the first 12 digits of its digest."""
        repository_and_tag, _, digest = self.image.partition("@")
        tag = repository_and_tag.rpartition("/")[2].partition(":")[2]
        return tag or digest.removeprefix("sha256:")[:12]

    @property
    def has_load_balancer(self) -> bool:
        return bool(self.load_balancer)

    def tag(self, name: str) -> Any:
        return self.tags.get(name, "")
