from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from catalog.models import User
from portal import people
from ui.roles import Role

FIRST_PEOPLE = {
    "admin": Role.ADMIN,
    "anna": Role.APPROVER,
    "olga": Role.OPERATOR,
    "vera": Role.VIEWER,
}
SIGN_IN_FILE = "sign-in.txt"
MIGRATED = "migrated"


class Command(BaseCommand):
    help = (
        "Create the cache table and, in a portal without people, one person for each role. "
        "Prints one line of JSON with their passwords; later runs print none."
    )

    # Checks import every page, while somebody waits for the first one; the tests run them.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--migrate",
            action="store_true",
            help=f"migrate before, in the same process, and print “{MIGRATED}” when that is done",
        )

    def handle(self, *args: Any, migrate: bool = False, **options: Any) -> None:
        if migrate:
            call_command("migrate", verbosity=0, interactive=False)
        call_command("createcachetable", verbosity=0)
        if migrate:
            self.stdout.write(MIGRATED)
            self.stdout.flush()
        made = _first_people()
        if made and settings.ENVIRONMENT == "development":
            _remember(made)
        self.stdout.write(json.dumps({"users": made}))


@transaction.atomic
def _first_people() -> list[dict[str, str]]:
    if User.objects.exists():
        return []
    made = []
    for username, role in FIRST_PEOPLE.items():
        password = people.generated_password()
        people.add(username=username, role=role, password=password, by=None)
        made.append({"username": username, "password": password, "role": role.value})
    return made


def _remember(made: list[dict[str, str]]) -> None:
    """Keep the passwords where only the owner of the checkout can read them."""
    path = Path(settings.HOME) / SIGN_IN_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    lines = [f"{user['username']}  {user['password']}  ({user['role']})" for user in made]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
