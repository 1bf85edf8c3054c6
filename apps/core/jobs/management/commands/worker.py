"""`manage.py worker`: runs background jobs until it is told to stop."""

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from apps.core.jobs.cluster import run_cluster
from apps.core.jobs.supervisor import Charge, Supervisor

GRACE_SECONDS = 8.0


class Command(BaseCommand):
    """Looks after one cluster of worker processes for each queue."""

    help = "Runs background jobs: a cluster of workers for each queue, restarted when it dies or is stuck."

    def add_arguments(self, parser: CommandParser) -> None:
        """The options of `manage.py worker --help`."""
        known = ", ".join(queues())
        parser.add_argument(
            "--clusters", default=",".join(queues()), help=f"Which queues to work on, by comma: {known} (default: all)."
        )
        parser.add_argument(
            "--grace",
            type=float,
            default=GRACE_SECONDS,
            help="Seconds that running jobs get to finish when told to stop; what is left begins anew elsewhere.",
        )
        parser.add_argument("--as-cluster", help=argparse.SUPPRESS)  # "supervisor's process id,file descriptor"

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or SIGINT."""
        if options["as_cluster"]:
            connections.close_all()
            parent, ready = options["as_cluster"].split(",")
            run_cluster(int(parent), int(ready))
            return
        known = queues()
        wanted = [name.strip() for name in options["clusters"].split(",") if name.strip()]
        if unknown := [name for name in wanted if name not in known]:
            raise CommandError(f"There is no queue {', '.join(unknown)}; there are {', '.join(known)}.", returncode=2)
        if not wanted:
            raise CommandError(f"Name at least one queue of {', '.join(known)}.", returncode=2)
        Supervisor([Charge(name, known[name]) for name in dict.fromkeys(wanted)], grace=options["grace"]).run()


def queues() -> dict[str, int]:
    """Return the queues and how many workers each cluster of them has."""
    main = settings.Q_CLUSTER
    others = {name: own.get("workers", main["workers"]) for name, own in main["ALT_CLUSTERS"].items()}
    return {main["name"]: main["workers"], **others}
