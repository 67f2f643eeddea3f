from __future__ import annotations

import getpass
import os
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from portal import people
from ui.roles import Role


class Command(BaseCommand):
    help = "Add a person. Asks for a password, or takes it from QUARTERDECK_PASSWORD."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--role", choices=Role.values, default=Role.VIEWER.value)

    def handle(self, *args: Any, username: str, role: str, **options: Any) -> None:
        password = os.environ.get("QUARTERDECK_PASSWORD") or getpass.getpass("Password: ")
        try:
            people.add(username=username, role=Role(role), password=password, by=None)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"{username} can sign in as {role}.")
