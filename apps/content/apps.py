"""Content: from brief to published, with quality checks and approval of the exact version."""

from django.apps import AppConfig
from django.urls import reverse


class ContentConfig(AppConfig):
    """The content application."""

    name = "apps.content"
    label = "content"
    verbose_name = "Content"

    def ready(self) -> None:
        """Tell the kits below what content brings: approvals, rule packs, the demo's chapter."""
        _approved()
        _ruled()
        _shown()


def _approved() -> None:
    """Let versions, templates, claims and waivers be approved."""
    from apps.approvals.domain import drafts  # noqa: PLC0415
    from apps.approvals.registry import ApprovalSubject, register  # noqa: PLC0415  # models must be ready
    from apps.content import models  # noqa: PLC0415
    from apps.content.domain import approving, templates, waiving, writing  # noqa: PLC0415

    register(
        models.ContentVersion,
        ApprovalSubject(
            material=models.MATERIAL,
            apply=approving.accept,
            on_refused=approving.give_back,
            before=approving.before,
            facts=approving.facts,
            fact_fields=approving.fact_fields(),
            checks={"qa_passed": approving.checks_passed},
            files=writing.files_of,
            preview=lambda version: reverse("admin:content_contentversion_change", args=(version.pk,)),
        ),
    )
    register(
        models.ContentTemplateVersion,
        ApprovalSubject(
            material=models.TEMPLATE_MATERIAL,
            apply=templates.put_in_force,
            on_refused=drafts.back_to_draft,
            before=templates.in_force_before,
        ),
    )
    register(
        models.Claim,
        ApprovalSubject(
            material=("wording", "substantiation", "evidence_url", "valid_until"),
            apply=waiving.accept,
            on_refused=waiving.drop,
        ),
    )
    register(
        models.FindingWaiver,
        ApprovalSubject(
            material=("rule_name", "finding", "reason", "until"), apply=waiving.accept, on_refused=waiving.drop
        ),
    )


def _ruled() -> None:
    """Make rule packs known."""
    from apps.content.domain import packs  # noqa: PLC0415  # models must be ready

    packs.register()


def _shown() -> None:
    """The chapter of the demo, figures from files, what people are told, what compliance can ask."""
    from apps.content import imports  # noqa: F401, PLC0415  # registers its importer
    from apps.content.demo import tell  # noqa: PLC0415  # models must be ready
    from apps.content.domain import complying, telling  # noqa: PLC0415
    from apps.content.models import ContentAsset  # noqa: PLC0415
    from apps.core.access import register_territory  # noqa: PLC0415
    from apps.core.demo import register_chapter  # noqa: PLC0415
    from apps.core.notifications.enums import Importance  # noqa: PLC0415
    from apps.core.notifications.kinds import register_kind  # noqa: PLC0415

    register_territory(ContentAsset, "region")
    register_chapter("content", tell)
    register_kind(telling.EXPIRING, "Content of mine ends soon")
    register_kind(telling.EXPIRED, "Content of mine has expired", importance=Importance.HIGH)
    complying.register()
