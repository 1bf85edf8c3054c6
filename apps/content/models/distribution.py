"""Where content is shown, what it achieves there, and what it is used for."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.content.enums import Channel, DistributionState
from apps.content.models.assets import ContentAsset, ContentVersion
from apps.core.governed import GovernedModel, append_only_triggers
from apps.core.records import AboutRecord
from apps.core.transitions import guarded_columns, refusal, written_once

PUBLISHING_TOOLS = ("approved", "implementing", "active")
_ONLY_APPROVED = f"""
    IF NEW.state = 'published' AND OLD.state IS DISTINCT FROM 'published' THEN
        IF NOT EXISTS (
            SELECT FROM content_contentversion WHERE id = NEW.version_id AND state IN ('approved', 'published')
            AND digest <> '' AND digest = NEW.sha256
        ) THEN {refusal("Only what was approved is published: the SHA-256 is not that of an approved version.")} END IF;
        IF EXISTS (SELECT FROM content_contentversion WHERE id = NEW.version_id AND expires_on < current_date)
        THEN {refusal("The version has expired; write and approve a new one.")} END IF;
        IF NOT EXISTS (
            SELECT FROM technology_tool WHERE id = NEW.tool_id AND archived_at IS NULL
            AND lifecycle IN {PUBLISHING_TOOLS!r}
        ) THEN {refusal("Content is published through approved tools alone.")} END IF;
    END IF;
    RETURN NEW;
"""


class Distribution(GovernedModel):
    """One place where one version is shown: planned, published as exactly what was approved, taken down."""

    version = models.ForeignKey(ContentVersion, models.PROTECT, related_name="distributions")
    tool = models.ForeignKey(
        "technology.Tool", models.PROTECT, related_name="+", help_text="Through what it is published: an approved tool."
    )
    main_channel = models.CharField("channel", max_length=15, choices=Channel.choices)
    place = models.CharField(max_length=200, help_text="Which list, page, account or campaign in that tool.")
    address = models.URLField(max_length=500, blank=True, help_text="Where people see it, once it is out.")
    state = models.CharField(
        max_length=10, choices=DistributionState.choices, default=DistributionState.PLANNED, editable=False
    )
    sha256 = models.CharField("SHA-256", max_length=64, blank=True, editable=False)
    planned_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    published_at = models.DateTimeField("published", null=True, editable=False)
    taken_down_at = models.DateTimeField("taken down", null=True, editable=False)

    class Meta(GovernedModel.Meta):
        ordering = ("-pk",)
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="published") | (Q(published_at__isnull=False) & ~Q(sha256="")),
                name="distribution_published_says_what",
            ),
            models.UniqueConstraint(
                fields=("version", "tool", "place"),
                condition=Q(state__in=("planned", "published")),
                name="distribution_once",
                violation_error_message="This version is planned or published in this place already.",
            ),
        ]
        indexes = [
            models.Index(fields=("state", "-id"), name="distribution_by_state"),
            # each visit asks what stood at its address
            models.Index(fields=("address",), name="distribution_by_address", condition=~Q(address="")),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "sha256", "published_by_id", "published_at", "taken_down_at"),
                starts={"state": DistributionState.PLANNED.value, "sha256": ""},
                sentence="A distribution moves by the buttons on its page, not by an edit.",
            ),
            *written_once(("version_id", "tool_id", "planned_by_id"), "A distribution keeps its version and tool."),
            pgtrigger.Trigger(
                name="only_what_was_approved",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func=_ONLY_APPROVED,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} in {self.place}"


class ContentLink(AboutRecord):
    """A piece of content that a campaign (or another record) shows: it cannot launch before this is approved."""

    asset = models.ForeignKey(ContentAsset, models.PROTECT, related_name="links", editable=False)

    class Meta(AboutRecord.Meta):
        verbose_name = "use of content"
        verbose_name_plural = "uses of content"
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(
                fields=("asset", "content_type", "object_id"),
                condition=Q(archived_at__isnull=True),
                name="content_linked_once",
                violation_error_message="This content is used there already.",
            ),
        ]
        indexes = [models.Index(fields=("content_type", "object_id"), name="content_link_by_record")]
        triggers = [
            *AboutRecord.Meta.triggers,
            *written_once(("asset_id", "content_type_id", "object_id"), "A use keeps its content and its record."),
        ]

    def __str__(self) -> str:
        return f"{self.asset}"


class ContentMetric(models.Model):
    """What one version achieved in one channel on one day, as one source says; append-only, the newest row counts."""

    version = models.ForeignKey(ContentVersion, models.PROTECT, related_name="metrics")
    main_channel = models.CharField("channel", max_length=15, choices=Channel.choices)
    day = models.DateField()
    source = models.CharField(max_length=80)
    shown = models.PositiveBigIntegerField("shown or sent", default=0)
    delivered = models.PositiveBigIntegerField(default=0)
    bounced = models.PositiveBigIntegerField(default=0)
    opened = models.PositiveBigIntegerField("opened or visited", default=0)
    clicked = models.PositiveBigIntegerField(default=0)
    converted = models.PositiveBigIntegerField(default=0)
    complained = models.PositiveBigIntegerField(default=0)
    unsubscribed = models.PositiveBigIntegerField(default=0)
    recorded_at = models.DateTimeField(auto_now_add=True)
    recorded_by = models.CharField(max_length=150)

    class Meta:
        verbose_name = "daily figures of content"
        verbose_name_plural = "daily figures of content"
        ordering = ("-pk",)
        constraints = [
            models.CheckConstraint(
                condition=Q(bounced__lte=F("shown")),
                name="content_metric_bounces_fit",
                violation_error_message="More bounced than were sent.",
            ),
        ]
        indexes = [
            models.Index(fields=("version", "main_channel", "day", "source", "-id"), name="content_metric_newest")
        ]
        triggers = append_only_triggers("Daily figures are evidence and never change; a corrected row is added.")

    def __str__(self) -> str:
        return f"{self.get_main_channel_display()}, {self.day:%-d %b %Y}"


class MaterialUse(models.Model):
    """Who used sales material with whom, and whether it helped; evidence, so append-only."""

    version = models.ForeignKey(ContentVersion, models.PROTECT, related_name="uses")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    occasion = models.CharField(max_length=200, help_text="With whom or in which deal.")
    helped = models.BooleanField(null=True)
    note = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name = "use of sales material"
        verbose_name_plural = "uses of sales material"
        ordering = ("-pk",)
        indexes = [models.Index(fields=("version", "-id"), name="material_use_by_version")]
        triggers = [
            *append_only_triggers("What was used with whom is evidence and never changes."),
            pgtrigger.Trigger(
                name="only_what_is_valid",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=(
                    "IF NOT EXISTS (SELECT FROM content_contentversion WHERE id = NEW.version_id AND state IN "
                    "('approved', 'published') AND (expires_on IS NULL OR expires_on >= NEW.at::date)) THEN "
                    f"{refusal('Only approved material that has not expired is used.')} END IF; RETURN NEW;"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} with {self.occasion}"
