"""Templates of campaigns, written as versions and approved; and the tasks that setting one up gives to people."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.accounts.models import OwnedModel
from apps.campaigns.enums import Channel
from apps.campaigns.models.campaign import Campaign
from apps.core.governed import GovernedModel, append_only_triggers, ledger_triggers
from apps.core.transitions import guarded_columns, refusal
from apps.core.versions import version_constraints, version_triggers

TEMPLATE_STATES = [("draft", "Draft"), ("in_review", "In review"), ("approved", "In force"), ("archived", "Replaced")]
PARTS = ("tasks", "checklist", "budget", "links", "briefs", "success_metrics")
TEMPLATE_MATERIAL = (*PARTS, "change_note")


class CampaignTemplate(OwnedModel, GovernedModel):
    """What campaigns of a kind are set up with; what that is stands in its versions."""

    name = models.CharField(max_length=100)
    main_channel = models.CharField("channel", max_length=20, choices=Channel.choices, default=Channel.EMAIL)
    guidelines = models.TextField(blank=True, help_text="For which campaigns it is meant, and for which not.")

    class Meta(GovernedModel.Meta):
        verbose_name = "campaign template"
        ordering = ("name", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=("name",),
                condition=Q(archived_at__isnull=True),
                name="campaign_template_once",
                violation_error_message="There is already a template of this name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CampaignTemplateVersion(GovernedModel):
    """One version of what a template sets up: one line for each thing, its parts divided by |."""

    template = models.ForeignKey(CampaignTemplate, models.PROTECT, related_name="versions", editable=False)
    number = models.PositiveIntegerField(editable=False)
    tasks = models.TextField(blank=True, help_text="Task | days before the first day: “Book the speaker | 30”.")
    checklist = models.TextField(
        "further checklist lines",
        blank=True,
        help_text="Kind | what to check, beside the standard lines: “legal | Prize draw: terms are on the page”. "
        "Kinds: creative, legal, utm, audience, monitoring, other.",
    )
    budget = models.TextField(
        "budget lines",
        blank=True,
        help_text="Channel | percent of the budget, 100 in all: “paid_social | 60”. Spread over the campaign's months.",
    )
    links = models.TextField(
        "UTM plan",
        blank=True,
        help_text="Source | medium | content | used for: “newsletter | email | button-top | First mail”.",
    )
    briefs = models.TextField(
        "content briefs",
        blank=True,
        help_text="Kind | title | what it must do: “landing_page | Page | Register in two steps”. "
        "Kinds: email, landing_page, social_post, advertisement, enablement, competitive, asset.",
    )
    success_metrics = models.TextField(blank=True, help_text="What it is judged by, where its plan is silent.")
    change_note = models.CharField("what is new", max_length=250, blank=True, help_text="For approvers.")
    state = models.CharField(max_length=10, choices=TEMPLATE_STATES, default="draft", editable=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    in_force_at = models.DateTimeField("in force since", null=True, editable=False)

    class Meta(GovernedModel.Meta):
        ordering = ("template", "-number")
        verbose_name = "campaign template version"
        constraints = version_constraints("campaign_template", once="campaign_template_version_once")
        triggers = [
            *GovernedModel.Meta.triggers,
            *version_triggers(TEMPLATE_MATERIAL),
        ]

    def __str__(self) -> str:
        return f"{self.template}, version {self.number}"

    @property
    def is_draft(self) -> bool:
        """Whether it can still be written."""
        return self.state == "draft"


class TemplateUse(models.Model):
    """That a campaign was set up from a template: which version, when, and what it made. Evidence."""

    campaign = models.OneToOneField(Campaign, models.PROTECT, related_name="template_use")
    version = models.ForeignKey(CampaignTemplateVersion, models.PROTECT, related_name="uses")
    at = models.DateTimeField()
    by_label = models.CharField(max_length=254)
    made = models.JSONField(help_text="Kind of thing → how many.")

    class Meta:
        triggers = [*ledger_triggers(), *append_only_triggers("From what a campaign was set up stays.")]

    def __str__(self) -> str:
        return f"{self.campaign} from {self.version}"


class CampaignTask(GovernedModel):
    """Something somebody does for a campaign by a day; unlike a line of the checklist, no launch asks for it."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="tasks")
    title = models.CharField("what to do", max_length=200)
    due_on = models.DateField("by", null=True, blank=True)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="campaign_tasks"
    )
    done_at = models.DateTimeField("done", null=True, blank=True, editable=False)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )

    class Meta(GovernedModel.Meta):
        verbose_name = "task of a campaign"
        verbose_name_plural = "tasks of campaigns"
        ordering = (models.F("due_on").asc(nulls_last=True), "pk")
        constraints = [
            models.UniqueConstraint(
                fields=("campaign", "title"),
                condition=Q(archived_at__isnull=True),
                name="campaign_task_once",
                violation_error_message="The campaign has this task already.",
            ),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True, done_by__isnull=True)
                | Q(done_at__isnull=False, done_by__isnull=False),
                name="campaign_task_done_by_somebody",
            ),
        ]
        indexes = [models.Index(fields=("assignee", "due_on"), condition=Q(done_at=None), name="campaign_task_open")]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns("done_at", "done_by_id", sentence="A task is done by the button on its page."),
            pgtrigger.Trigger(
                name="stays_with_campaign",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.campaign_id <> NEW.campaign_id"),
                func=refusal("A task stays with its campaign; archive it and add another one."),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_done(self) -> bool:
        """Whether somebody did it."""
        return self.done_at is not None
