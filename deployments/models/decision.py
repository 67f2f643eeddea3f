from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q

from deployments.models.release import Release

LAST_MINUTE = timedelta(seconds=30)


class DecisionKind(models.TextChoices):
    """What continuing the paused deployment does."""

    START_CANARY = "START_CANARY", "Start the canary"
    PROMOTE = "PROMOTE", "Promote"
    SHIFT = "SHIFT", "Shift the traffic"
    STEP = "STEP", "Take the next step"
    ACCEPT_TEST = "ACCEPT_TEST", "Accept the test result"
    ACCEPT = "ACCEPT", "Accept the release"
    CONTINUE = "CONTINUE", "Continue"


class DecisionState(models.TextChoices):
    OPEN = "OPEN", "Open"
    APPROVED = "APPROVED", "Approved"
    REJECTED = "REJECTED", "Rejected"
    EXPIRED = "EXPIRED", "Expired"
    SUPERSEDED = "SUPERSEDED", "Overtaken by a rollback"


class DecisionPoint(models.Model):
    """One pause of ECS that waits for a person. ECS gives each pause an id of its own.

    A decision that AWS refused is open again; `refusals` counts them, so that the next answer
    is a new effect.
    """

    release = models.ForeignKey(Release, models.PROTECT, related_name="decisions")
    hook_id = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=16, choices=DecisionKind)
    stage = models.CharField(max_length=64, blank=True)
    weight = models.FloatField(null=True, blank=True, help_text="Percent on the target, when asked")
    opened_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    timeout_action = models.CharField(max_length=16, blank=True)
    state = models.CharField(max_length=12, choices=DecisionState, default=DecisionState.OPEN)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    refusals = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="decision_state_known", condition=Q(state__in=DecisionState.values)
            ),
            models.CheckConstraint(
                name="decision_decided_unless_open",
                condition=Q(state="OPEN", decided_at=None)
                | (~Q(state="OPEN") & Q(decided_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.hook_id}: {self.state}"

    @property
    def is_open(self) -> bool:
        return self.state == DecisionState.OPEN

    @property
    def closes_at(self) -> datetime | None:
        """Until when an approval is taken: ECS's expiry less 30 s, or a tenth of a short window."""
        if self.expires_at is None:
            return None
        window = self.expires_at - self.opened_at
        return self.expires_at - min(LAST_MINUTE, window / 10)

    @property
    def who_won(self) -> str:
        """Who decided and when, such as "Promoted by anna at 12:03:04 UTC"."""
        if self.decided_at is None:
            return ""
        verb = {
            DecisionState.REJECTED: "Rejected",
            DecisionState.EXPIRED: "Expired",
            DecisionState.SUPERSEDED: "Overtaken by a rollback",
        }.get(DecisionState(self.state), _DONE[DecisionKind(self.kind)])
        who = f" by {self.decided_by.username}" if self.decided_by else ""
        return f"{verb}{who} at {self.decided_at:%H:%M:%S} UTC"


_DONE = {
    DecisionKind.START_CANARY: "Canary started",
    DecisionKind.PROMOTE: "Promoted",
    DecisionKind.SHIFT: "Traffic shifted",
    DecisionKind.STEP: "Next step taken",
    DecisionKind.ACCEPT_TEST: "Test result accepted",
    DecisionKind.ACCEPT: "Release accepted",
    DecisionKind.CONTINUE: "Continued",
}
