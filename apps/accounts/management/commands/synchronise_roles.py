"""Makes the groups and their permissions equal to the grants in code; runs after every migration."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.accounts.domain.roles import synchronise_roles


class Command(BaseCommand):
    """`manage.py synchronise_roles`."""

    help = "Makes the permissions of every role equal to what the code grants. Running it again changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Synchronise, and say which roles changed."""
        changed = {role: number for role, number in synchronise_roles().items() if number}
        if options["verbosity"] and changed:
            words = ", ".join(f"{role} ({number})" for role, number in changed.items())
            self.stdout.write(f"Permissions changed for: {words}.")
