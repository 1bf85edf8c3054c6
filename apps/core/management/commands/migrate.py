"""Migrations run as the role that owns the tables; the role that serves gets its rights on what they make."""

from typing import Any

from django.core.management import call_command
from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS, transaction

from apps.core import recorders
from apps.core.actors import MIGRATION, acting_as
from apps.core.guards import hold_for_everybody
from apps.core.migrating import light_states
from mops.db.grants import grant_what_comes, settle_what_is
from mops.db.roles import OWNER_ALIAS, as_owner

AUTHOR = "migration"


class Command(migrate.Command):
    """`migrate`, as the owner."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Become the owner, give the serving role its rights on new tables, migrate, settle rights and recording."""
        if options["database"] == OWNER_ALIAS:
            # the owner by another name: data migrations and signal handlers that name no alias must be included
            options["database"] = DEFAULT_DB_ALIAS
        if options["plan"] or options["check_unapplied"]:
            super().handle(*args, **options)
            return
        with as_owner(options["database"]) as connection, acting_as(None, name=AUTHOR, reason=MIGRATION):
            grant_what_comes(connection)
            with transaction.atomic(using=connection.alias):  # a row written meanwhile meets the old ones or the new
                recorders.install_functions(connection)
                recorders.loosen(connection)
            with light_states():
                super().handle(*args, **options)
            recorders.settle(connection)
            hold_for_everybody(connection)
            settle_what_is(connection)
            if options["database"] == DEFAULT_DB_ALIAS and not options["app_label"]:
                call_command("synchronise_roles", verbosity=options["verbosity"])
                call_command("ship_policies", verbosity=options["verbosity"])
