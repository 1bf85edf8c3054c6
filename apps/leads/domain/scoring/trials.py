"""Champion and challenger on the leads of now: both score each lead once, in the same moment; what comes after tells.

Reviews judge versions on leads of the past. A trial asks the other question: which of the two would have told, on the
day a lead came, who becomes an SQL? The challenger never routes, qualifies or shows on a lead's page.
"""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from apps.core import access, clock
from apps.core.actors import acting_as, system_principal
from apps.core.admin_kit.archive import archive, refuse_archive
from apps.core.context_sql import stamp_transaction
from apps.core.errors import DomainError, NotAllowed, WrongState
from apps.core.rules.domain.queries import active_version
from apps.core.rules.models import RuleVersion
from apps.core.transitions import transition
from apps.core.words import reason_given
from apps.leads.domain.scoring.engine import computed_sql
from apps.leads.domain.scoring.judging import TELLING, Seen, auc, bands
from apps.leads.domain.scoring.model import read_model
from apps.leads.domain.scoring.reviewing import CHALLENGES
from apps.leads.enums import Stage, TrialState
from apps.leads.models import ScoringTrial, ShadowScore
from apps.leads.scoring_rules import BODY, DOCUMENT

if TYPE_CHECKING:
    from apps.accounts.models import User

WAITING = (Stage.KNOWN_LEAD, Stage.MQL, Stage.RECYCLED)
_SHADOW = """
    WITH champion AS ({champion}), challenger AS ({challenger})
    INSERT INTO leads_shadowscore
        (trial_id, lead_id, at, champion, challenger, champion_ready, challenger_ready)
    SELECT %s, c.lead_id, %s, o.score, c.score, o.is_ready, c.is_ready
    FROM challenger c JOIN champion o USING (lead_id) JOIN leads_lead l ON l.id = c.lead_id
    WHERE l.stage = ANY(%s) AND NOT EXISTS (
        SELECT FROM leads_shadowscore s WHERE s.trial_id = %s AND s.lead_id = c.lead_id
    ) ORDER BY c.lead_id ON CONFLICT DO NOTHING
"""
_OUTCOMES = """
    SELECT s.champion, s.challenger, s.champion_ready, s.challenger_ready, EXISTS (
        SELECT FROM leads_stageinterval i WHERE i.lead_id = s.lead_id AND i.stage = %s
          AND i.entered_at > s.at AND i.entered_at <= %s
    ) FROM leads_shadowscore s WHERE s.trial_id = %s
"""


def refuse_start(user: "User", trial: ScoringTrial) -> str | None:
    """Return why `user` cannot start `trial` now, None when they can."""
    if not access.can(user, "change", trial):
        return f"You may not change {trial}."
    if trial.state != TrialState.PLANNED:
        return f"{trial} is {trial.get_state_display().lower()}; add a new one."
    if trial.challenger.document.key != DOCUMENT:
        return f"{trial.challenger} scores no leads; choose a version of the document “{DOCUMENT}”."
    if trial.challenger.state not in CHALLENGES:
        return f"{trial.challenger} decides already or is over; a challenger is a version that does not decide yet."
    if active_version(DOCUMENT) is None:
        return "No rules of scoring are in force, so there is no champion; bring a version into force first."
    running = ScoringTrial.objects.filter(state=TrialState.RUNNING).exclude(pk=trial.pk).first()
    return f"{running} is running; end it first." if running is not None else None


def start_trial(trial: ScoringTrial, *, by: "User", at: dt.datetime | None = None) -> str:
    """Have the challenger score beside the version in force from now on, beginning with every lead with marketing.

    Raises:
        NotAllowed, WrongState: as `refuse_start` says, or its rules cannot be read.
    """
    now = at or clock.now()
    with transaction.atomic(), acting_as(by, reason=trial.purpose):
        row = _locked(trial)
        if refused := refuse_start(by, row):
            raise (WrongState if access.can(by, "change", row) else NotAllowed)(refused)
        if problems := BODY.problems(row.challenger.body):
            raise WrongState(f"{row.challenger} cannot score yet: {problems[0].sentence}")
        row.state, row.started_by, row.started_at = TrialState.RUNNING, by, now
        row.champion, row.digest = active_version(DOCUMENT), row.challenger.digest
        _save(row, "state", "started_by", "started_at", "champion", "digest")
        seen = shadow(row, at=now)
        row.figures = figures_of(row, until=now)
        _save(row, "figures")
    noun = "lead is" if seen == 1 else "leads are"
    return f"{row} runs: {seen:,} {noun} scored by both; new ones join every night."


def refuse_end(user: "User", trial: ScoringTrial) -> str | None:
    """Return why `user` cannot end `trial` now, None when they can."""
    if not access.can(user, "change", trial):
        return f"You may not change {trial}."
    return None if trial.state == TrialState.RUNNING else f"{trial} is not running."


def end_trial(trial: ScoringTrial, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """End a trial with what was found; its figures stay as they are then.

    Raises:
        NotAllowed, WrongState: as `refuse_end` says.
        InvalidInput: nothing was found.
    """
    reason = reason_given(reason, "Say what the trial showed, or why it ends.")
    with transaction.atomic(), acting_as(by, reason=reason):
        row = _locked(trial)
        if refused := refuse_end(by, row):
            raise (WrongState if access.can(by, "change", row) else NotAllowed)(refused)
        _end(row, by=by, conclusion=reason, now=at or clock.now())
    return f"{row} is over. {advice(row)}"


def refuse_archive_trial(user: "User", trial: ScoringTrial) -> str | None:
    """Return why `user` cannot put `trial` away now, None when they can: what has begun is evidence and stays."""
    if refused := refuse_archive(user, trial):
        return refused
    if trial.state == TrialState.PLANNED:
        return None
    return f"{trial} has begun, and what it showed stays in the lists; only a planned trial is archived."


def archive_trial(trial: ScoringTrial, *, by: "User") -> str:
    """Put a planned trial away that nobody wants any more.

    Raises:
        NotAllowed, WrongState: as `refuse_archive_trial` says.
    """
    with transaction.atomic():
        row = _locked(trial)
        if access.may(by, "change", row) and (refused := refuse_archive_trial(by, row)):
            raise WrongState(refused)
        return archive(row, by=by)


def keep_trial(*, at: dt.datetime | None = None) -> dict[str, int]:
    """Let new leads join the trial that runs, and count anew; end it where one of its two versions is not what it was.

    Safe to repeat.
    """
    now = at or clock.now()
    with transaction.atomic(), acting_as(system_principal(), reason="Trials are counted every night"):
        running = ScoringTrial.objects.filter(state=TrialState.RUNNING).first()
        row = _locked(running) if running is not None else None
        if row is None or row.state != TrialState.RUNNING:
            return {"trials": 0, "joined": 0}
        if why := _outlived(row):
            _end(row, by=system_principal(), conclusion=why, now=now)
            return {"trials": 0, "joined": 0}
        joined = shadow(row, at=now)
        row.figures = figures_of(row, until=now)
        _save(row, "figures")
    return {"trials": 1, "joined": joined}


def _outlived(row: ScoringTrial) -> str:
    """Return why a trial compares nothing any more, "" while it does."""
    active = active_version(DOCUMENT)
    if active is None or active.pk != row.champion_id:
        return "Other rules came into force." if active is not None else "No rules are in force any more."
    if row.challenger.digest != row.digest:
        return "The rules of the challenger were changed."
    try:
        read_model(row.challenger)
        read_model(active)
    except DomainError as error:  # a field they ask for is gone
        return f"Its rules cannot be read any more: {error.message}"[:500]
    return "" if row.challenger.state in CHALLENGES else "The challenger is no challenger any more."


def shadow(trial: ScoringTrial, *, at: dt.datetime) -> int:
    """Score the leads with marketing that the trial has not seen, by both versions at once; return how many."""
    if trial.champion is None:
        return 0
    both = {
        name: computed_sql(read_model(version), as_of=at)
        for name, version in (("champion", trial.champion), ("challenger", trial.challenger))
    }
    stamp_transaction(connection)
    with connection.cursor() as cursor:
        stages = [stage.value for stage in WAITING]
        # each side is made once, whatever the statistics say: rows written moments ago are not in them yet
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(_SHADOW.format(**both), [trial.pk, at, stages, trial.pk])  # made of names and numbers
        joined = int(cursor.rowcount)
        cursor.execute("SET LOCAL enable_nestloop = on")
        return joined


def figures_of(trial: ScoringTrial, *, until: dt.datetime) -> dict[str, Any]:
    """Return how well each of the two told who became an SQL since the trial saw them."""
    with connection.cursor() as cursor:
        cursor.execute(_OUTCOMES, [Stage.SQL.value, until, trial.pk])
        rows = cursor.fetchall()
    seen = {
        "champion": [Seen(old, ready, became) for old, _, ready, _, became in rows],
        "challenger": [Seen(new, ready, became) for _, new, _, ready, became in rows],
    }
    return {"until": until.isoformat(), **{name: _told(each) for name, each in seen.items()}}


def _told(seen: list[Seen]) -> dict[str, Any]:
    ready = [each for each in seen if each.is_ready]
    return {
        "leads": len(seen),
        "sql": sum(each.became for each in seen),
        "auc": auc([(each.score, each.became) for each in seen]),
        "ready": len(ready),
        "ready_sql": sum(each.became for each in ready),
        "bands": bands(seen),
    }


def advice(trial: ScoringTrial) -> str:
    """Return what the figures of a trial say, in a sentence."""
    if not trial.figures:
        return "Nothing is counted yet: the trial has not begun."
    champion, challenger = trial.figures["champion"], trial.figures["challenger"]
    if champion["auc"] is None:
        return f"None of the {champion['leads']:,} leads it saw became an SQL yet, or all did: wait before you judge."
    both = f"AUC {challenger['auc']:.3f} against {champion['auc']:.3f}, on {champion['sql']:,} that became SQL"
    if challenger["auc"] - champion["auc"] >= TELLING:
        return f"The challenger tells better who becomes an SQL ({both})."
    return f"The challenger tells no better who becomes an SQL ({both})."


def _end(row: ScoringTrial, *, by: "User", conclusion: str, now: dt.datetime) -> None:
    row.figures = figures_of(row, until=now)
    row.state, row.ended_by, row.ended_at, row.conclusion = TrialState.ENDED, by, now, conclusion[:500]
    _save(row, "state", "ended_by", "ended_at", "conclusion", "figures")


def _locked(trial: ScoringTrial) -> ScoringTrial:
    rows = ScoringTrial.objects.select_for_update(of=("self",)).select_related("challenger__document", "champion")
    row: ScoringTrial = rows.get(pk=trial.pk)
    return row


def _save(row: ScoringTrial, *names: str) -> None:
    with transition(ScoringTrial):
        row.save(update_fields=names)


def candidates() -> Any:
    """Return the versions that can challenge the one in force."""
    return RuleVersion.objects.filter(document__key=DOCUMENT, state__in=CHALLENGES)


def seen_by(trial: ScoringTrial) -> int:
    """Return how many leads a trial has seen."""
    return ShadowScore.objects.filter(trial=trial).count()
