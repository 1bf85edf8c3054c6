"""`manage.py audit`: prove that the evidence is whole, and do again what a restore has undone."""

from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.audit.domain.replay import recorded, replay_table

MOST_SHOWN = 200


class Command(BaseCommand):
    """Care for the ledger."""

    help = "Verifies the ledger and the tables it records."

    def add_arguments(self, parser: CommandParser) -> None:
        """One sub-command each."""
        steps = parser.add_subparsers(dest="step", required=True, metavar="verify")
        verify = steps.add_parser("verify", help="Say whether the evidence is whole; exits non-zero when it is not.")
        verify.add_argument(
            "--state",
            action="store_true",
            help="Replay the ledger and name every row that differs from it: changed with recording switched off.",
        )
        verify.add_argument("--table", help="With --state: look at one table only.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Every refusal is a sentence."""
        step: dict[str, Callable[..., None]] = {"verify": self._verify}
        step[options["step"]](**options)

    def _verify(self, *, state: bool, table: str | None, **options: Any) -> None:
        if not state:
            raise CommandError("Say what to verify: --state replays the ledger.")
        self._verify_state(table)

    def _verify_state(self, table: str | None) -> None:
        known = recorded()
        chosen = [each for each in known if table in (None, each.table)]
        if not chosen:
            raise CommandError(f"{table} is not recorded; these are: {', '.join(each.table for each in known)}.")
        found = 0
        for each in chosen:
            for difference in replay_table(each):
                found += 1
                if found <= MOST_SHOWN:
                    self.stderr.write(str(difference))
        if found:
            more = f", the first {MOST_SHOWN} above" if found > MOST_SHOWN else ""
            raise CommandError(f"{found} differences{more}: somebody wrote with recording switched off.")
        self.stdout.write(f"{len(chosen)} tables hold exactly what the ledger and the history say.")
