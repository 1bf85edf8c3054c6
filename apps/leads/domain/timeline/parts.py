"""Where the story of a lead stands: for each part its moment, its number, what is said of it, and its table."""

from collections.abc import Mapping

# what it is, its moment, its number, the facts its sentence is made of, and where it stands; each is read newest first
Part = tuple[str, str, str, str, str]
_NAME = "(SELECT coalesce(nullif(u.full_name, ''), u.email) FROM accounts_user u WHERE u.id = {})"
# who acted, where only the label stands that signs for them
_SIGNED = "coalesce((SELECT nullif(u.full_name, '') FROM accounts_user u WHERE u.username = {0}), {0})"
PARTS: Mapping[str, tuple[Part, ...]] = {
    "did": (
        (
            "touch",
            "t.occurred_at",
            "t.id",
            "jsonb_build_array(t.type, t.value, t.campaign_id, t.machine_reason, t.content_version_id)",
            "leads_touchpoint t WHERE t.lead_id = %(lead)s",
        ),
        (
            "intake",
            "t.received_at",
            "t.id",
            "jsonb_build_array(t.state, (SELECT s.title FROM leads_intakesource s WHERE s.id = t.source_id))",
            "leads_intake t WHERE t.lead_id = %(lead)s",
        ),
    ),
    "score": (
        (
            "rescored",
            "r.as_of",
            "t.id",
            (
                "jsonb_build_array(t.before, t.after, t.was_ready, t.is_ready, (SELECT v.number FROM rules_ruleversion"
                " v WHERE v.id = r.version_id), r.id)"
            ),
            "leads_scorechange t JOIN leads_scorerun r ON r.id = t.run_id WHERE t.lead_id = %(lead)s",
        ),
        (
            "override",
            "t.set_at",
            "t.id",
            (
                f"jsonb_build_array(t.value, t.reason, {_NAME.format('t.set_by_id')},"
                " (t.expires_at - interval '1 microsecond')::date)"
            ),
            "leads_scoreoverride t WHERE t.lead_id = %(lead)s",
        ),
    ),
    "stage": (
        (
            "stage",
            "t.entered_at",
            "t.id",
            f"jsonb_build_array(t.stage, t.reason, {_SIGNED.format('t.actor_label')})",
            "leads_stageinterval t WHERE t.lead_id = %(lead)s",
        ),
    ),
    "owner": (
        (
            "routed",
            "t.at",
            "t.id",
            (
                f"jsonb_build_array(t.routed_by, t.reason, coalesce({_NAME.format('t.to_person_id')}, (SELECT a.name"
                " FROM accounts_team a WHERE a.id = t.to_team_id)), t.rule_number, (SELECT p.name FROM leads_pool p"
                f" WHERE p.id = t.pool_id), {_NAME.format('t.from_person_id')})"
            ),
            "leads_routingdecision t WHERE t.lead_id = %(lead)s",
        ),
    ),
    "sales": (
        (
            "offered",
            "t.offered_at",
            "t.id",
            (
                f"jsonb_build_array(t.kind, t.number, t.note, coalesce({_NAME.format('t.to_person_id')}, (SELECT a.name"
                f" FROM accounts_team a WHERE a.id = t.to_team_id)), {_NAME.format('t.offered_by_id')})"
            ),
            "leads_handoff t WHERE t.lead_id = %(lead)s",
        ),
        (
            "answered",
            "t.decided_at",
            "t.id",
            f"jsonb_build_array(t.kind, t.number, t.state, t.rejection, t.answer, {_NAME.format('t.decided_by_id')})",
            "leads_handoff t WHERE t.decided_at IS NOT NULL AND t.lead_id = %(lead)s",
        ),
        (
            "contact",
            "t.at",
            "t.id",
            f"jsonb_build_array(t.kind, t.note, {_NAME.format('t.person_id')})",
            "leads_salescontact t WHERE t.archived_at IS NULL AND t.lead_id = %(lead)s",
        ),
        (
            "deal",
            "t.opened_at",
            "t.id",
            "jsonb_build_array(t.name, t.amount::text, t.currency)",
            "leads_opportunity t WHERE t.archived_at IS NULL AND t.lead_id = %(lead)s",
        ),
        (
            "closed",
            "t.closed_at",
            "t.id",
            "jsonb_build_array(t.name, t.stage, t.outcome)",
            "leads_opportunity t WHERE t.archived_at IS NULL AND t.closed_at IS NOT NULL AND t.lead_id = %(lead)s",
        ),
    ),
    "clock": (
        (
            "late",
            "f.fired_at",
            "f.id",
            "jsonb_build_array(t.metric, f.rung)",
            (
                "clocks_escalationfire f JOIN clocks_clock t ON t.id = f.clock_id WHERE NOT f.silent AND t.object_id ="
                " %(lead)s AND t.content_type_id = %(kind_of_lead)s"
            ),
        ),
        (
            "stopped",
            "t.closed_at",
            "t.id",
            f"jsonb_build_array(t.metric, t.state, {_SIGNED.format('t.closed_by')})",
            (
                "clocks_clock t WHERE t.closed_at IS NOT NULL AND t.state IN ('met', 'late') AND t.object_id = %(lead)s"
                " AND t.content_type_id = %(kind_of_lead)s"
            ),
        ),
    ),
    "consent": (
        (
            "consent",
            "t.given_at",
            "t.id",
            "jsonb_build_array(t.purpose, t.is_given, t.evidence, t.source)",
            "leads_consent t WHERE t.lead_id = %(lead)s",
        ),
    ),
    "same": (
        (
            "merged",
            "t.merged_at",
            "t.id",
            f"jsonb_build_array(t.survivor_id, t.loser_id, t.reason, {_NAME.format('t.merged_by_id')})",
            "leads_merge t WHERE %(lead)s IN (t.survivor_id, t.loser_id)",
        ),
        (
            "undone",
            "t.undone_at",
            "t.id",
            f"jsonb_build_array(t.survivor_id, t.loser_id, t.undone_reason, {_NAME.format('t.undone_by_id')})",
            "leads_merge t WHERE t.undone_at IS NOT NULL AND %(lead)s IN (t.survivor_id, t.loser_id)",
        ),
        (
            "pair",
            "t.found_at",
            "t.id",
            "jsonb_build_array(t.one_id, t.two_id, t.state, t.answer)",
            "leads_duplicatepair t WHERE %(lead)s IN (t.one_id, t.two_id)",
        ),
    ),
}
