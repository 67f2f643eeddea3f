from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q

from ui.roles import Role


class User(AbstractUser):
    """A person who signs in, with exactly one role."""

    role = models.CharField(max_length=16, choices=Role, default=Role.VIEWER)
    time_zone = models.CharField(max_length=64, default="UTC")

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(name="user_role_known", condition=Q(role__in=Role.values))
        ]

    def may(self, role: Role) -> bool:
        return self.is_active and Role(self.role).includes(role)

    @property
    def is_operator(self) -> bool:
        return self.may(Role.OPERATOR)

    @property
    def is_approver(self) -> bool:
        return self.may(Role.APPROVER)

    @property
    def is_admin(self) -> bool:
        return self.may(Role.ADMIN)
