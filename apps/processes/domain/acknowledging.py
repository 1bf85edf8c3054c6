"""Saying that one has read and understood a version: evidence, and for the last one needed the way into force."""

import datetime as dt
from collections.abc import Mapping

from django.db import transaction

from apps.accounts.models import User
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.processes.domain.effect import bring_into_force
from apps.processes.domain.quiz import read_questions, wrong_answers
from apps.processes.domain.reading import refuse_acknowledgement, works_by
from apps.processes.models import Acknowledgement, SOPVersion

STATEMENT = "I have read this version and understood what it asks of me."


def acknowledge(
    version: SOPVersion,
    *,
    by: User,
    answers: Mapping[int, frozenset[int]] | None = None,
    reader: bool = False,
    at: dt.datetime | None = None,
) -> str:
    """Record that `by` has read and understood `version`; the last one needed brings it into force.

    Args:
        version: approved or in force.
        by: who read it.
        reader: see `refuse_acknowledgement`; for what offers the text to people without a role in the process.
        answers: for the place of each question the places of the answers chosen.
        at: when; now where not given.

    Raises:
        InvalidInput: a question was answered wrongly.
        NotAllowed: `by` does not work by this process.
        WrongState: it is not there to be read, or was confirmed already.
    """
    with transaction.atomic(), acting_as(by):
        rows = SOPVersion.objects.select_for_update(of=("self",)).select_related("process")
        row: SOPVersion = rows.get(pk=version.pk)
        if refused := refuse_acknowledgement(by, row, reader=reader):
            may = reader or (access.may(by, "view", row) and works_by(by, row.process))
            raise (WrongState if may else NotAllowed)(refused)
        questions = read_questions(row.questions)
        if wrong := wrong_answers(questions, answers or {}):
            raise InvalidInput(
                f"{len(wrong)} of {len(questions)} questions are not answered rightly: "
                f"“{wrong[0].text}”. Read the part about it again, then try once more."
            )
        moment = at or clock.now()
        Acknowledgement.objects.create(
            version=row,
            person=by,
            person_label=by.get_username(),
            digest=row.digest,
            statement=STATEMENT,
            questions=len(questions),
            at=moment,
        )
        publish("sop.read", version_id=row.pk)
        came = bring_into_force(row.pk, at=moment)
    return f"Recorded: you have read {row}." + (" It is in force now." if came else "")
