"""Scores stay current: what changed is scored within a minute, everything every night, and the sums are checked."""

import datetime as dt

from django.db import connection, transaction

from apps.core import clock
from apps.core.alerts.domain.alerting import resolve_alert
from apps.core.rules.domain.applying import tell_broken
from apps.core.rules.domain.queries import active_version
from apps.leads.domain.scoring import measures
from apps.leads.domain.scoring.engine import Scored, score_leads, store
from apps.leads.domain.scoring.model import Model, model_in_force
from apps.leads.enums import RunKind
from apps.leads.models import Lead, LeadScore, ScoreQueue, ScoreRun
from apps.leads.scoring_rules import BODY, DOCUMENT

BATCH = 5000
CLOSE, UNREADABLE = 1e-9, "leads.scoring.unreadable"


def score_due(*, as_of: dt.datetime | None = None) -> dict[str, int]:
    """Score the leads whose facts changed; two workers take different ones."""
    moment, done = as_of or clock.now(), {"scored": 0, "changed": 0}
    model = model_in_force()
    _watch(model)
    if model is None:
        return done
    while True:
        with transaction.atomic():
            rows = ScoreQueue.objects.select_for_update(skip_locked=True).order_by("pk")
            keys = list(rows.values_list("pk", flat=True)[:BATCH])
            if not keys:
                return done
            done["changed"] += store(model, as_of=moment, leads=keys).changed
            done["scored"] += len(keys)
            LeadScore.objects.filter(lead__in=keys, lead__archived_at__isnull=False).delete()
            ScoreQueue.objects.filter(pk__in=keys).delete()


def _watch(model: Model | None) -> None:
    """Alert where the rules in force can no longer be read, so that nobody is scored by them."""
    if model is not None:
        resolve_alert(UNREADABLE, why="The rules in force can be read.")
    elif (version := active_version(DOCUMENT)) is not None:
        wrong = " ".join(each.sentence for each in BODY.problems(version.body)[:3])
        tell_broken(version, UNREADABLE, wrong, so="leads keep the scores they have, new ones get none")


def score_all(*, as_of: dt.datetime | None = None) -> Scored:
    """Let time pass for every score: what fades has faded, what looks back on days looks back anew.

    Points that hang on the facts of a lead alone stay as they are, because a change of facts is queued by the database;
    rules that ask about tags, custom fields or days are asked again.
    """
    moment = as_of or clock.now()
    model = model_in_force()
    if model is None:
        return Scored(0, 0, 0)
    score_due(as_of=moment)
    with transaction.atomic():
        done = store(model, as_of=moment, reuse=True)
        leads = LeadScore.objects.filter(version=model.version).count()
        if leads < Lead.objects.live().count():
            rest = store(model, as_of=moment)  # leads that no rules had scored yet
            done = Scored(*(sum(pair) for pair in zip(_plain(done), _plain(rest), strict=True)))
            leads = LeadScore.objects.filter(version=model.version).count()
        ScoreRun.objects.create(
            version=model.version,
            kind=RunKind.NIGHTLY,
            as_of=moment,
            leads=leads,
            changed=done.changed,
            became_ready=done.became_ready,
            stopped_being_ready=done.stopped_being_ready,
            finished_at=clock.now(),
        )
    return done


def _plain(done: Scored) -> tuple[int, int, int]:
    return done.changed, done.became_ready, done.stopped_being_ready


def unequal_sums(*, leads: list[int] | None = None) -> list[int]:
    """Return the leads whose kept sums differ from what their touches give by more than 1e-9 of them."""
    kept = measures.kept()
    if not kept:
        return []
    only = "" if leads is None else "AND t.lead_id = ANY(%s)"
    mine = "true" if leads is None else "a.lead_id = ANY(%s)"
    now = repr(clock.now().timestamp())
    carried = ", ".join(each.now(number, now) for number, each in enumerate(kept, 1))
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH days AS MATERIALIZED ({measures.days_sql(kept, now, only=only)}), "  # names and numbers
            f"anew AS ({measures.sums_sql(kept, now, 'days')}), "
            f"stored AS (SELECT a.lead_id, ARRAY[{carried}]::float8[] AS sums FROM leads_accumulator a WHERE {mine}) "
            "SELECT coalesce(n.lead_id, s.lead_id) FROM anew n FULL JOIN stored s USING (lead_id) WHERE EXISTS ("
            "SELECT FROM generate_subscripts(coalesce(n.sums, s.sums), 1) i WHERE abs(coalesce(n.sums[i], 0) - "
            f"coalesce(s.sums[i], 0)) > {CLOSE} * greatest(1, abs(coalesce(n.sums[i], 0)))) ORDER BY 1",
            [] if leads is None else [leads, leads],
        )
        return [key for (key,) in cursor.fetchall()]


def mend(leads: list[int], *, as_of: dt.datetime | None = None) -> None:
    """Make sums and scores of these leads anew from their touches."""
    moment = as_of or clock.now()
    with transaction.atomic():
        measures.rebuild(ref=moment.timestamp(), leads=leads)
        score_leads(leads, as_of=moment)
