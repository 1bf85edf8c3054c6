"""Leads: people who may become customers, from whichever system they come."""

import pgtrigger
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Trim

from apps.accounts.models import OwnedModel
from apps.core.governed import GovernedModel, GovernedQuerySet
from apps.core.transitions import guarded_columns
from apps.leads.enums import Stage

OWN_RECORDS = "mops"


def scoring_due(operation: pgtrigger.Operation) -> pgtrigger.Trigger:
    """Return the trigger that has leads scored anew whose facts changed, whatever wrote them."""
    return pgtrigger.Trigger(
        name=f"scoring_due_{str(operation).lower()}",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=pgtrigger.Referencing(new="new_rows"),  # type: ignore[no-untyped-call]
        func="INSERT INTO leads_scorequeue (lead_id) SELECT id FROM new_rows ORDER BY id ON CONFLICT DO NOTHING;"
        " RETURN NULL;",
    )


_CONTEXT = "coalesce(nullif(current_setting('mops.ctx', true), ''), '{}')::jsonb"


def stage_triggers() -> list[pgtrigger.Trigger]:
    """Return the triggers that keep the stages of leads as stretches of time, with who moved them and why."""
    told = f"left(coalesce({_CONTEXT}->>'reason', ''), 500), left(coalesce({_CONTEXT}->>'actor', ''), 150)"
    into = "INSERT INTO leads_stageinterval (lead_id, stage, entered_at, reason, actor_label)"
    return [
        pgtrigger.Trigger(
            name="stage_begins",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=pgtrigger.Insert,
            referencing=pgtrigger.Referencing(new="new_rows"),  # type: ignore[no-untyped-call]
            # who acts is read once, not for each of very many rows
            func=f"WITH acting(reason, label) AS MATERIALIZED (SELECT {told}) {into}"
            " SELECT id, stage, clock_timestamp(), reason, label FROM new_rows, acting ORDER BY id; RETURN NULL;",
        ),
        pgtrigger.Trigger(
            name="stage_changes",
            when=pgtrigger.After,
            operation=pgtrigger.Update,
            condition=pgtrigger.Condition("OLD.stage IS DISTINCT FROM NEW.stage"),
            declare=[("moment", "timestamptz")],
            func="moment := clock_timestamp(); "
            "UPDATE leads_stageinterval SET exited_at = moment WHERE lead_id = NEW.id AND exited_at IS NULL; "
            f"{into} VALUES (NEW.id, NEW.stage, moment, {told}); RETURN NULL;",
        ),
    ]


class LeadQuerySet(GovernedQuerySet):
    """Filters over leads."""

    def unowned(self) -> "LeadQuerySet":
        """Leads that nobody looks after."""
        return self.filter(archived_at__isnull=True, owner_person__isnull=True, owner_team__isnull=True)

    def qualified_without_address(self) -> "LeadQuerySet":
        """Leads that sales should call on and cannot reach."""
        return self.filter(archived_at__isnull=True, stage__in=(Stage.MQL, Stage.SQL), email__isnull=True)


class Lead(OwnedModel, GovernedModel):
    """One lead. What scores, routes and qualifies it is derived elsewhere; here stands what is known."""

    # found by the longer indexes below; what is mostly empty is indexed where it is filled: each index costs with every
    # lead that comes in or changes hands
    owner_person = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="owner (person)",
        db_index=False,
    )
    owner_team = models.ForeignKey(
        "accounts.Team",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="owner (team)",
        db_index=False,
    )
    backup_person = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="backup (person)",
        db_index=False,
    )
    backup_team = models.ForeignKey(
        "accounts.Team",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="backup (team)",
        db_index=False,
    )
    record_source = models.CharField(
        max_length=40, default=OWN_RECORDS, help_text="Which system keeps the record, for instance salesforce."
    )
    external_id = models.CharField("number", max_length=60, blank=True, help_text="Its number in that system.")
    name = models.CharField(max_length=150, blank=True)
    email = models.EmailField("e-mail", null=True, blank=True)
    phone = models.CharField(
        max_length=40,
        blank=True,
        help_text="With its country code, for instance +49 30 901820, of whichever country; or as dialled in the "
        "lead's country.",
    )
    is_phone_shared = models.BooleanField(
        "phone is shared", default=False, help_text="A switchboard, or the line of a household: it names nobody."
    )
    job_title = models.CharField(max_length=120, blank=True)
    company = models.CharField(max_length=150, blank=True)
    account = models.ForeignKey(
        "leads.Company",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="leads",
        verbose_name="company record",
        db_index=False,
        help_text="Says how large the company is and what it does.",
    )
    country = models.CharField(max_length=60, blank=True)
    territory = models.CharField(max_length=60, blank=True, help_text="The sales territory, for instance DACH.")
    origin = models.CharField(max_length=60, blank=True, help_text="How it came in: form, chat, API, import.")
    product_interest = models.CharField(
        max_length=80, blank=True, db_default="", help_text="The product it asked about, as far as it said."
    )
    source = models.CharField(max_length=60, blank=True, help_text="Where it heard of us: search, referral, event.")
    stage = models.CharField(
        "lifecycle stage", max_length=20, choices=Stage.choices, default=Stage.KNOWN_LEAD, editable=False
    )
    total_visits = models.PositiveIntegerField("visits", null=True, blank=True)
    seconds_on_site = models.PositiveIntegerField("seconds on the website", null=True, blank=True)
    last_activity = models.CharField(max_length=80, blank=True)
    last_notable_activity = models.CharField(max_length=80, blank=True)
    quality = models.CharField(
        "lead quality", max_length=60, blank=True, help_text="As judged by the people who called."
    )
    converted = models.BooleanField(null=True, blank=True, help_text="Did it become a customer? Empty: not known.")

    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="merged",
        editable=False,
        verbose_name="merged into",
        db_index=False,
    )

    objects = LeadQuerySet.as_manager()  # type: ignore[misc]  # knows more filters than the one it replaces
    # in the ledger they are salted commitments; erasing a lead empties them everywhere
    personal_fields = ("name", "email", "phone", "external_id")
    identity_fields = ("name", "email")  # by which a copy that a restore brings back is recognised

    class Meta(GovernedModel.Meta):
        ordering = ("-id",)
        permissions = [("oversee_lead", "Can see the leads of everybody")]
        constraints = [
            models.UniqueConstraint(
                fields=("record_source", "external_id"),
                condition=~Q(external_id=""),
                name="lead_number_once",
                violation_error_message="There is already a lead with this number in that system.",
            ),
            models.UniqueConstraint(
                Lower("email"),
                condition=Q(merged_into__isnull=True),
                name="lead_email_once",
                violation_error_message="A lead with this e-mail exists already.",
            ),
            models.CheckConstraint(
                condition=Q(email__isnull=True) | Q(email=Lower("email")) & ~Q(email=""),
                name="lead_email_normalised",
                violation_error_message="An e-mail address is kept in small letters.",
            ),
            models.UniqueConstraint(
                fields=("phone",),
                condition=~Q(phone="") & Q(is_phone_shared=False) & Q(merged_into__isnull=True),
                name="lead_phone_once",
                violation_error_message="A lead with this phone exists already. Merge the two, or say that several "
                "people share it.",
            ),
            models.CheckConstraint(
                condition=Q(phone="") | Q(phone__regex=r"^\+[1-9][0-9]{5,14}$"),
                name="lead_phone_normalised",
                violation_error_message="A phone is kept with its country code, as +4930901820.",
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | Q(archived_at__isnull=False),
                name="lead_merged_is_archived",
                violation_error_message="This lead was merged into another one; undo the merge to bring it back.",
            ),
        ]
        indexes = [
            models.Index(fields=("stage", "-id"), name="lead_by_stage"),
            models.Index(fields=("owner_person", "-id"), name="lead_by_owner"),
            models.Index(fields=("owner_team", "-id"), name="lead_by_team"),
            GinIndex(OpClass("name", "gin_trgm_ops"), name="lead_name_alike"),
            models.Index(
                fields=("id",),
                condition=Q(owner_person__isnull=True, owner_team__isnull=True, archived_at__isnull=True),
                name="lead_unowned",
            ),
            # how a role limited to a territory asks (apps/core/territorial.py)
            models.Index(Lower(Trim("territory")), name="lead_by_territory"),
        ]
        # whose address or phone came with a merged lead; these hold merged leads alone
        indexes += [
            models.Index(Lower("email"), condition=Q(merged_into__isnull=False), name="lead_merged_email"),
            models.Index(
                fields=("phone",), condition=~Q(phone="") & Q(merged_into__isnull=False), name="lead_merged_phone"
            ),
        ]
        indexes += [
            models.Index(fields=(name,), condition=Q(**{f"{name}__isnull": False}), name=f"lead_by_{name}")
            for name in ("account", "backup_person", "backup_team", "merged_into")
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                "stage",
                starts={"stage": Stage.KNOWN_LEAD.value},
                sentence="A lead moves through its stages by the buttons on its page, not by an edit.",
            ),
            *(scoring_due(operation) for operation in (pgtrigger.Insert, pgtrigger.Update)),
            *stage_triggers(),
        ]

    def __str__(self) -> str:
        return self.name or self.email or (f"Lead {self.external_id}" if self.external_id else f"Lead #{self.pk}")

    def clean(self) -> None:
        """Keep the address small, none as none, the phone with its country code; refuse a new lead of nobody."""
        from apps.leads.phones import as_field  # noqa: PLC0415  # reads the country that stands here

        self.email = self.email.strip().lower() if self.email else None
        self.phone = as_field(self.phone, country=self.country)
        if self._state.adding and not any((self.name, self.email, self.phone, self.external_id)):
            raise ValidationError("Say who it is: a name, an e-mail, a phone or its number in another system.")
