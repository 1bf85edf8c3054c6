"""Tickets: what colleagues and clients ask for, answered in the time that was promised."""

from django.apps import AppConfig
from django.db.models import Model


class TicketsConfig(AppConfig):
    """The tickets application."""

    name = "apps.tickets"
    label = "tickets"
    verbose_name = "Tickets"

    def ready(self) -> None:
        """Name what people are told, who answers for a ticket, and what waits for a word."""
        from apps.accounts.domain.ownership import register_ownership  # noqa: PLC0415  # models must be ready
        from apps.core.access import register_scope  # noqa: PLC0415
        from apps.core.clocks.registry import register_metric  # noqa: PLC0415
        from apps.core.demo import register_chapter  # noqa: PLC0415
        from apps.core.notifications.enums import Importance, Reach  # noqa: PLC0415
        from apps.core.notifications.kinds import register_kind  # noqa: PLC0415
        from apps.core.overdue import register_overdue  # noqa: PLC0415
        from apps.core.personal import register_traces  # noqa: PLC0415
        from apps.processes.permissions import by_process  # noqa: PLC0415
        from apps.tickets import imports  # noqa: F401, PLC0415  # registers on import
        from apps.tickets.demo import tell  # noqa: PLC0415
        from apps.tickets.domain import agreements, escalation, follow_ups, service  # noqa: PLC0415
        from apps.tickets.domain.erasing import erase_at_the_desk  # noqa: PLC0415
        from apps.tickets.domain.queries import quiet_tickets  # noqa: PLC0415
        from apps.tickets.enums import ACTIVE  # noqa: PLC0415
        from apps.tickets.models import Agreement, Article, FollowUp, Ticket  # noqa: PLC0415

        register_kind("ticket.answered", "A ticket I asked was answered or resolved")
        register_kind("ticket.opened", "A ticket has come into a queue of my team", default=Reach.DIGEST)
        register_kind("ticket.assigned", "A ticket was given to me")
        register_kind("ticket.word", "The requester of a ticket of mine wrote, or it was reopened")
        register_kind("ticket.escalated", "A ticket runs out of time", importance=Importance.HIGH)
        register_ownership(Ticket, "assignee", "assignee", still_matters=lambda rows: rows.filter(state__in=ACTIVE))
        for side in agreements.SIGNATORIES:
            register_ownership(Agreement, side, "signatory", still_matters=lambda rows: rows.filter(state="draft"))
        register_kind("ticket.scored", "A requester said how it was", default=Reach.DIGEST)
        register_overdue(quiet_tickets)
        register_overdue(follow_ups.follow_ups_due)
        register_ownership(FollowUp, "assignee", "follow-up", still_matters=lambda rows: rows.filter(outcome=""))
        for metric in service.metrics(escalation.escalate):
            register_metric(metric)
        _register_decided()
        register_chapter("tickets", tell)
        register_traces("tickets", erase_at_the_desk)
        _register_routing()
        register_scope(Article, by_process("process"))
        _register_territories()


def _register_decided() -> None:
    """Say what of the desk is decided through approval: agreements by both sides, templates."""
    from apps.approvals.domain import drafts, signing  # noqa: PLC0415  # models must be ready
    from apps.approvals.registry import ApprovalSubject, register  # noqa: PLC0415
    from apps.tickets.domain import agreements, templates  # noqa: PLC0415
    from apps.tickets.models import Agreement, TemplateVersion  # noqa: PLC0415
    from apps.tickets.models import templates as templates_of  # noqa: PLC0415
    from apps.tickets.models.service import MATERIAL  # noqa: PLC0415

    register(
        Agreement,
        ApprovalSubject(
            material=MATERIAL,
            apply=agreements.sign,
            on_refused=signing.return_to_draft,
            owner_fields=agreements.SIGNATORIES,
            policy=agreements.both_sides,
        ),
    )
    register(
        TemplateVersion,
        ApprovalSubject(
            material=templates_of.MATERIAL,
            apply=templates.put_in_force,
            on_refused=drafts.back_to_draft,
            before=templates.in_force_before,
            markdown=("body", "guidelines"),
        ),
    )


def _register_territories() -> None:
    """Keep tickets about leads and campaigns elsewhere from whoever is limited to a territory, and their links."""
    from apps.core.access import register_about, register_scope, territory_path  # noqa: PLC0415  # models must be ready
    from apps.tickets import permissions  # noqa: PLC0415
    from apps.tickets.models import Ticket, TicketLink, TicketRecord  # noqa: PLC0415
    from apps.tickets.subjects import SUBJECTS  # noqa: PLC0415

    def kinds() -> "list[type[Model]]":
        return [each.model for each in SUBJECTS.values() if territory_path(each.model)]

    register_about(Ticket, kinds=kinds, links=TicketRecord, back="ticket")
    register_scope(TicketRecord, permissions.named_by_tickets)
    register_scope(TicketLink, permissions.between_tickets)


def _register_routing() -> None:
    """Let rules decide where tickets go."""
    from apps.core.rules.catalog import register_catalog  # noqa: PLC0415  # models must be ready
    from apps.core.rules.kinds import RuleKind, register_kind  # noqa: PLC0415
    from apps.tickets import routing_rules  # noqa: PLC0415
    from apps.tickets.domain.replay import replay  # noqa: PLC0415
    from apps.tickets.models import Ticket  # noqa: PLC0415

    register_catalog(Ticket, routing_rules.ticket_catalog)
    register_kind(
        RuleKind(
            key=routing_rules.KIND,
            title="Ticket routing",
            body=routing_rules.BODY,
            simulate=replay,
            help=f"The first rule that fits says where a new ticket goes. Only the document “{routing_rules.DOCUMENT}” "
            "decides; its last rule takes what no other fits.",
        )
    )
