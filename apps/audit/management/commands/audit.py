"""`manage.py audit`: prove that the evidence is whole, and do again what a restore has undone."""

import getpass
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.audit.domain.personal import erasure_list, export_subject, reapply_erasures
from apps.audit.domain.proving import prove
from apps.audit.domain.replay import recorded, replay_table
from apps.audit.domain.seal_repair import begin_new_key, restart_seals
from apps.audit.domain.sealing import seal_ledger
from apps.audit.domain.verifying import findings, verify_seals
from apps.core.actors import acting_as, system_principal
from apps.core.errors import DomainError

MOST_SHOWN = 200


class Command(BaseCommand):
    """Care for the ledger."""

    help = "Verifies the ledger and the tables it records."

    def add_arguments(self, parser: CommandParser) -> None:
        """One sub-command each."""
        steps = parser.add_subparsers(dest="step", required=True, metavar="verify|…")
        verify = steps.add_parser("verify", help="Say whether the evidence is whole; exits non-zero when it is not.")
        verify.add_argument(
            "--state",
            action="store_true",
            help="Replay the ledger and name every row that differs from it: changed with recording switched off.",
        )
        verify.add_argument("--table", help="With --state: look at one table only.")

        verify.add_argument("--seals", type=Path, help="The seals file or folder; the installation's own by default.")
        verify.add_argument("--key", default="", help="Trust this one key alone, by its fingerprint.")
        steps.add_parser("seal", help="Seal now what is settled; the worker does it every 30 seconds.")
        prove = steps.add_parser("prove", help="Write the proof that an entry is in its seal, as JSON.")
        prove.add_argument("event", type=int, help="The number of the entry.")
        prove.add_argument("--file", type=Path, help="Where to; the screen by default.")
        for name, says in (
            ("restart-seals", "After a restore, or when the seals file is lost: let seals go on."),
            ("new-key", "Seal with another key from now on: the old one is lost or has to be replaced."),
        ):
            repair = steps.add_parser(name, help=says)
            repair.add_argument("--reason", required=True, help="Auditors will read it.")

        erasures = steps.add_parser("erasures", help="Write the list of erased people, to be kept beside the backups.")
        again = steps.add_parser("reapply-erasures", help="After a restore: erase again whom it brought back.")
        person = steps.add_parser("export-subject", help="Write all data held about one person, as JSON.")
        person.add_argument("--kind", required=True, help="The kind of record, for instance leads.lead.")
        person.add_argument("--id", required=True, help="The number of the record.")
        person.add_argument("--by", required=True, help="The e-mail of who hands it out.")
        for each in (erasures, again, person):
            each.add_argument("--file", type=Path, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        """Every refusal is a sentence."""
        step: dict[str, Callable[..., None]] = {
            "verify": self._verify,
            "erasures": self._erasures,
            "reapply-erasures": self._reapply,
            "export-subject": self._export,
            "seal": self._seal,
            "prove": self._prove,
            "restart-seals": self._repair(restart_seals),
            "new-key": self._repair(begin_new_key),
        }
        try:
            step[options["step"]](**options)
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        except OSError as error:  # a --file that cannot be written
            raise CommandError(f"{error.filename or 'The file'}: {error.strerror or error}.") from error

    def _erasures(self, *, file: Path, **options: Any) -> None:
        entries = erasure_list()
        file.write_text(json.dumps(entries, indent=1) + "\n")
        self.stdout.write(f"{file}: {len(entries)} erasures. Keep it where a restore of the database does not reach.")

    def _reapply(self, *, file: Path, **options: Any) -> None:
        try:
            entries = json.loads(file.read_text())
            counts = reapply_erasures(entries, by=system_principal())
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CommandError(f"{file} is no list of erasures: {error}") from error
        self.stdout.write(f"{counts['erased']} erased again, {counts['unchanged']} needed nothing.")

    def _export(self, *, kind: str, id: str, by: str, file: Path, **options: Any) -> None:  # noqa: A002
        try:
            subject = apps.get_model(kind)._base_manager.get(pk=id)
            person = get_user_model().objects.get(email__iexact=by, is_active=True)
        except (LookupError, ValueError, ObjectDoesNotExist) as error:
            raise CommandError(f"There is no such record or person: {kind} {id}, {by}.") from error
        with acting_as(person):
            file.touch(mode=0o600)
            file.chmod(0o600)  # for the one who asked, not for everybody on the server
            file.write_text(json.dumps(export_subject(subject, by=person), indent=1, ensure_ascii=False) + "\n")
        self.stdout.write(f"{file}: everything held about {kind} {id}. Hand it over, then delete it.")

    def _seal(self, **options: Any) -> None:
        done = seal_ledger()
        self.stdout.write(f"{done.seals} seals over {done.entries} entries; everything up to {done.up_to} is sealed.")

    def _prove(self, *, event: int, file: Path | None, **options: Any) -> None:
        text = json.dumps(prove(event), indent=1, ensure_ascii=False) + "\n"
        if file is None:
            self.stdout.write(text)
        else:
            file.write_text(text)
            self.stdout.write(f"{file}: entry {event} and its way to the seal. Verify it with verify_evidence.py.")

    def _repair(self, operation: Callable[..., str]) -> Callable[..., None]:
        def run(*, reason: str, **options: Any) -> None:
            self.stdout.write(operation(by=f"{getpass.getuser()} on the server", reason=reason))

        return run

    def _verify(self, *, state: bool, table: str | None, seals: Path | None, key: str, **options: Any) -> None:
        if state:
            self._verify_state(table)
            return
        verdict = verify_seals(seals, key=key)
        first, *rest = findings(verdict)
        for line in rest:
            (self.stderr if verdict.problem else self.stdout).write(line)
        if verdict.problem:
            raise CommandError(first)
        self.stdout.write(first)

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
