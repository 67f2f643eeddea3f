"""What a person may do, from least to most. Each role may do all that the ones before it may."""

from __future__ import annotations

from django.db import models


class Role(models.TextChoices):
    VIEWER = "viewer", "Viewer: reads everything"
    OPERATOR = "operator", "Operator: starts releases, rolls back, works on incidents"
    APPROVER = "approver", "Approver: also approves canary promotions"
    ADMIN = "admin", "Admin: also manages people"

    def includes(self, other: Role) -> bool:
        """Whether a person with this role may do what `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)
