"""`manage.py ship_policies`: every kind that can be approved has a policy from the first day."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.approvals.domain.policies import ship_missing_policies


class Command(BaseCommand):
    """Make the missing policies."""

    help = "Gives every kind that never had an approval policy the plain one: one approver decides."

    def handle(self, *args: Any, **options: Any) -> None:
        """Make them and say how many."""
        made = ship_missing_policies()
        if made and options["verbosity"]:
            self.stdout.write(f"Approval policies made: {made}.")
