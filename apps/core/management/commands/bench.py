"""`manage.py bench [NAME] [--rows N]`: run benchmarks in a throw-away database, one JSON object a line."""

import json
import logging
import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.test.utils import setup_test_environment, teardown_test_environment

from apps.core.bench.registry import Registered, registered
from mops.garbage import keep_what_is_loaded

KEPT_SECONDS = 600  # connections are kept as in production; test databases close them after each request


class Command(BaseCommand):
    """Measure the product against its limit and against what people usually do."""

    help = "Runs the registered benchmarks in a throw-away database and prints one JSON object a line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Offer the name and the size."""
        parser.add_argument("name", nargs="?", help="One benchmark; without it, all of them.")
        parser.add_argument("--rows", type=int, help="How many rows: 10000, 100000, 1000000.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run what was asked for; unknown names are refused with the list of known ones."""
        known = registered()
        name, rows = options["name"], options["rows"]
        if name and name not in known:
            raise CommandError(f"There is no benchmark {name!r}; there are: {', '.join(known)}.")
        if rows is not None and rows < 1:
            raise CommandError("--rows must be at least 1.")
        chosen = [known[name]] if name else list(known.values())
        settings.DEBUG = False
        logging.disable(logging.WARNING)
        setup_test_environment(debug=False)
        keep_what_is_loaded()  # as in production, for every path alike
        for each in chosen:
            self._run(each, rows or each.default_rows)
        teardown_test_environment()

    def _run(self, each: Registered, rows: int) -> None:
        creation, kept = connection.creation, connection.settings_dict["NAME"]
        connection.settings_dict["TEST"]["NAME"] = f"bench_{each.name.replace('-', '_')}_{os.getpid()}"
        creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        connection.close()
        connection.settings_dict["CONN_MAX_AGE"] = KEPT_SECONDS
        try:
            for result in each.run(rows):
                self.stdout.write(json.dumps(result.as_line()))
                self.stdout.flush()
        finally:
            creation.destroy_test_db(kept, verbosity=0)
