"""`manage.py evaluate_leads FILE.csv` says how well the predictive score would do on leads without dates."""

import csv
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.errors import DomainError
from apps.leads.domain.predicting.holdout import evaluate


class Command(BaseCommand):
    """Judge the predictive score on a file."""

    help = "Learns from seven tenths of the leads of a CSV file and judges on the others: AUC and calibration."

    def add_arguments(self, parser: CommandParser) -> None:
        """Ask for the file."""
        parser.add_argument("file", type=Path, help="A CSV file with a column “ToBeConverted” (1 or 0).")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the figures, or say why there are none."""
        try:
            with options["file"].open(encoding="utf-8-sig", newline="") as file:
                found = evaluate(list(csv.DictReader(file)))
        except OSError as refusal:
            raise CommandError(f"{options['file']} cannot be read: {refusal.strerror}.") from refusal
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(found.sentence)
        self.stdout.write("Predicted  seen  leads")
        for predicted, seen, number in found.quality.calibration:
            self.stdout.write(f"{predicted:9.1%} {seen:5.1%} {number:6.0f}")
