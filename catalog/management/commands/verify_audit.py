from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog import audit
from catalog.models import AuditEntry


class Command(BaseCommand):
    help = "Verify that every audit entry follows from the one before it."

    def handle(self, *args: Any, **options: Any) -> None:
        broken = audit.first_broken()
        if broken:
            raise CommandError(f"The chain breaks at entry {broken.pk}: {broken}")
        self.stdout.write(f"The chain of {AuditEntry.objects.count()} entries is intact.")
