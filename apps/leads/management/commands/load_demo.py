"""`manage.py load_demo` fills an empty installation with an invented company at work."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.demo import SIGN_INS
from apps.core import clock
from apps.core.errors import DomainError
from apps.leads.demo.story import load_demo


class Command(BaseCommand):
    """Load the demo data."""

    help = "Fills an empty installation with an invented company: people, tools, SOPs, campaigns, leads, approvals."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load it, or say why not."""
        talks = options["verbosity"] > 0
        try:
            made = load_demo(clock.today(), say=self.stdout.write if talks else str)
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        if talks:
            self.stdout.write(
                "The demo is loaded: " + ", ".join(f"{number} {kind}" for kind, number in made.items()) + "."
            )
            self.stdout.write(f"Sign in for instance as {SIGN_INS[0][1]} ({SIGN_INS[0][0]}).")
