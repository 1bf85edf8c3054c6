"""Pieces of content and their versions: briefed, written, checked, approved as they are, published, expired."""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Trim, Upper

from apps.accounts.models import OwnedModel
from apps.content.enums import MOVES, UNDER_WAY, USABLE, Channel, Kind, Region, Stage, VersionState
from apps.core.governed import GovernedModel
from apps.core.transitions import guarded_columns, refusal, written_once

LANGUAGE = [
    ("en", "English"),
    ("de", "German"),
    ("fr", "French"),
    ("es", "Spanish"),
    ("pt", "Portuguese"),
    ("it", "Italian"),
    ("nl", "Dutch"),
    ("pl", "Polish"),
    ("sv", "Swedish"),
    ("no", "Norwegian"),
    ("ja", "Japanese"),
    ("zh", "Chinese"),
]
MATERIAL = ("subject", "preheader", "body", "colours", "expires_on", "change_note")
_FROZEN = (*MATERIAL, "variant", "files")
HTML_KINDS = (Kind.EMAIL, Kind.LANDING_PAGE)


class ContentAsset(OwnedModel, GovernedModel):
    """One piece of content: what it is for and whom it is for. What it says stands in its versions."""

    title = models.CharField(max_length=150)
    kind = models.CharField(max_length=15, choices=Kind.choices)
    main_channel = models.CharField(max_length=15, choices=Channel.choices, verbose_name="channel")
    region = models.CharField(max_length=10, choices=Region.choices, default=Region.GLOBAL)
    language = models.CharField(max_length=5, choices=LANGUAGE, default="en")
    product = models.CharField(max_length=100, blank=True, help_text="What it is about, as price lists name it.")
    brief = models.TextField(
        help_text="In Markdown: what it has to achieve, for whom, what it must say and what it must not."
    )
    audience = models.CharField(max_length=200, blank=True, help_text="Who is to read it.")
    due_on = models.DateField("needed by", null=True, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False, verbose_name="asked by"
    )
    stage = models.CharField(max_length=10, choices=Stage.choices, default=Stage.BRIEF, editable=False)

    class Meta(GovernedModel.Meta):
        verbose_name = "piece of content"
        verbose_name_plural = "content"
        ordering = ("-pk",)
        constraints = [
            models.CheckConstraint(
                condition=~Q(title="") & ~Q(brief=""),
                name="content_briefed",
                violation_error_message="Content needs a title and a brief: what it has to achieve, and for whom.",
            ),
        ]
        indexes = [
            models.Index(fields=("stage", "-id"), name="content_by_stage"),
            models.Index(fields=("kind", "-id"), name="content_by_kind"),
            GinIndex(OpClass(Upper("title"), "gin_trgm_ops"), name="content_title_words"),
            # how a role limited to a territory asks (apps/core/territorial.py), in the order of the list
            models.Index(Lower(Trim("region")), F("id").desc(), name="content_by_territory"),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                "stage",
                starts={"stage": Stage.BRIEF.value},
                sentence="Content moves with its versions, not by an edit.",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_html(self) -> bool:
        """Whether it is written in HTML; everything else is written in Markdown or plain text."""
        return self.kind in HTML_KINDS


class ContentVersion(GovernedModel):
    """One version of what a piece of content says. A draft is edited; from the checks on it stays as it is."""

    asset = models.ForeignKey(ContentAsset, models.PROTECT, related_name="versions", editable=False)
    number = models.PositiveIntegerField(editable=False)
    variant = models.CharField(
        max_length=20, blank=True, help_text="Of an A/B test: A, B… Empty where there is only one."
    )
    subject = models.CharField(
        "subject or headline", max_length=250, blank=True, help_text="What people read before they open it."
    )
    preheader = models.CharField(
        max_length=250, blank=True, help_text="The line that mailboxes show after the subject."
    )
    body = models.TextField(
        "text", blank=True, help_text="E-mails and landing pages in HTML, everything else in Markdown."
    )
    colours = models.TextField(
        blank=True, help_text="Pairs that are read on each other, one a line: “#333333 on #ffffff”."
    )
    expires_on = models.DateField(
        "valid until", null=True, blank=True, help_text="The last day it may be shown. It expires by itself afterwards."
    )
    change_note = models.CharField("what is new", max_length=500, blank=True, help_text="For checkers and approvers.")
    template_version = models.ForeignKey(
        "content.ContentTemplateVersion", models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    files = models.JSONField(default=list, blank=True, editable=False, help_text="Names and SHA-256 as submitted.")
    state = models.CharField(max_length=10, choices=VersionState.choices, default=VersionState.DRAFT, editable=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    digest = models.CharField(max_length=64, blank=True, editable=False, help_text="SHA-256 of what was submitted.")
    submitted_at = models.DateTimeField("submitted", null=True, blank=True, editable=False)
    approved_at = models.DateTimeField("approved", null=True, blank=True, editable=False)
    published_at = models.DateTimeField("first published", null=True, blank=True, editable=False)
    ended_at = models.DateTimeField("ended", null=True, blank=True, editable=False)

    class Meta(GovernedModel.Meta):
        verbose_name = "content version"
        ordering = ("-pk",)
        permissions = [("check_contentversion", "Can sign off the quality checks of content")]
        constraints = [
            models.UniqueConstraint(fields=("asset", "number"), name="content_version_once"),
            models.UniqueConstraint(
                fields=("asset", "variant"),
                condition=Q(state__in=UNDER_WAY),
                name="content_one_under_way",
                violation_error_message="A version of this variant is under way already; finish that one.",
            ),
            models.UniqueConstraint(
                fields=("asset", "variant"),
                condition=Q(state=VersionState.PUBLISHED),
                name="content_one_published",
                violation_error_message="Another version of this variant is published.",
            ),
            models.CheckConstraint(
                condition=Q(state=VersionState.DRAFT) | Q(state=VersionState.ARCHIVED) | ~Q(digest=""),
                name="content_version_has_digest",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=USABLE) | Q(approved_at__isnull=False), name="content_usable_is_approved"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(published_at__isnull=True) | Q(ended_at__gte=F("published_at")),
                name="content_ends_after_start",
            ),
        ]
        indexes = [
            models.Index(fields=("state", "-id"), name="content_version_by_state"),
            GinIndex(OpClass(Upper("subject"), "gin_trgm_ops"), name="content_subject_words"),
            models.Index(fields=("expires_on",), name="content_version_expiring", condition=Q(state__in=USABLE)),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "digest", "files", "submitted_at", "approved_at", "published_at", "ended_at"),
                starts={"state": VersionState.DRAFT.value, "digest": ""},
                sentence="A version moves by the buttons on its page, not by an edit.",
            ),
            *written_once(("asset_id", "number", "author_id"), "A version keeps its content, number and author."),
            pgtrigger.Trigger(
                name="content_freezes",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.state <> 'draft' AND ("
                    + " OR ".join(f'OLD."{name}" IS DISTINCT FROM NEW."{name}"' for name in _FROZEN)
                    + " OR (NEW.state <> 'draft' AND OLD.digest IS DISTINCT FROM NEW.digest))"
                ),
                func=refusal("What was submitted stays as it is. Have it sent back, or write a new version."),
            ),
            pgtrigger.Trigger(
                name="content_moves",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.state IS DISTINCT FROM NEW.state AND (OLD.state || '>' || NEW.state) NOT IN ("
                    + ", ".join(f"'{one.value}>{two.value}'" for one, ways in MOVES.items() for two in ways)
                    + ")"
                ),
                func=refusal("There is no such way between the states of a content version."),
            ),
        ]

    def __str__(self) -> str:
        variant = f" {self.variant}" if self.variant else ""
        return f"{self.asset.title} · version {self.number}{variant}"

    @property
    def is_draft(self) -> bool:
        """Whether it can still be edited."""
        return self.state == VersionState.DRAFT

    @property
    def is_usable(self) -> bool:
        """Whether it is approved and not ended."""
        return self.state in USABLE
