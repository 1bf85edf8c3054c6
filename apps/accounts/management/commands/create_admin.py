"""The first administrator, who invites everybody else."""

import getpass
import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.domain.first_administrator import create_administrator, invite_administrator
from apps.core.errors import DomainError

VARIABLE = "MOPS_ADMIN_PASSWORD"


class Command(BaseCommand):
    """`manage.py create_admin`."""

    help = (
        "Creates an administrator: somebody with the role Administrator, who invites the others. The password is asked "
        f"for, read from standard input (--password-stdin), or taken from {VARIABLE}. With --invite no password is "
        "needed here: the command prints a link that works once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Say what can be told."""
        parser.add_argument("--email", help="The address the person signs in with.")
        parser.add_argument("--name", help="The name as colleagues know the person.")
        parser.add_argument("--title", default="", help="The job title.")
        parser.add_argument("--team", default="Administration", help="The team; made when there is none of this name.")
        parser.add_argument("--password-stdin", action="store_true", help="Read the password from standard input.")
        parser.add_argument("--invite", action="store_true", help="Print an invitation link instead.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create or invite."""
        email = options["email"] or self._ask("E-mail: ", "--email")
        name = options["name"] or self._ask("Name: ", "--name")
        told = {"full_name": name, "title": options["title"], "team": options["team"]}
        try:
            if options["invite"]:
                link = invite_administrator(email, **told)
                self.stdout.write(f"Open this link within {settings.INVITATION_DAYS} days; it works once:\n{link}")
                return
            person = create_administrator(email, password=self._password(options), **told)
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(f"{person} can sign in with {person.email} at {settings.PUBLIC_URL}/.")

    def _password(self, options: dict[str, Any]) -> str:
        if options["password_stdin"]:
            return sys.stdin.readline().rstrip("\n")
        if given := os.environ.get(VARIABLE):
            return given
        if not sys.stdin.isatty():
            raise CommandError(
                f"There is no terminal to ask for the password: use --password-stdin, set {VARIABLE}, or use --invite."
            )
        first = getpass.getpass("Password (12 characters or more): ")
        if first != getpass.getpass("The same password again: "):
            raise CommandError("The two entries differ; nothing was created.")
        return first

    def _ask(self, question: str, option: str) -> str:
        if not sys.stdin.isatty():
            raise CommandError(f"Give {option}; there is no terminal to ask.")
        return input(question).strip()
