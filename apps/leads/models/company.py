"""Companies: where leads work; size and trade are known once for all of their people."""

import pgtrigger
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_domain_name
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Trim

from apps.core.governed import GovernedModel


class Company(GovernedModel):
    """One company, told apart by its domain."""

    name = models.CharField(max_length=150)
    domain = models.CharField(
        max_length=120, blank=True, help_text="Of its website and its mail, for instance example.com."
    )
    industry = models.CharField(max_length=80, blank=True)
    employees = models.PositiveIntegerField(null=True, blank=True, help_text="How many people work there.")
    country = models.CharField(max_length=60, blank=True)
    territory = models.CharField(max_length=60, blank=True, help_text="The sales territory, for instance DACH.")
    is_competitor = models.BooleanField(
        "competitor", default=False, help_text="Its people look at what we do; they are no prospects."
    )

    account_manager = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Named account: leads of this company go to them where the rules of routing say so.",
    )

    class Meta(GovernedModel.Meta):
        ordering = ("name", "pk")
        verbose_name_plural = "companies"
        constraints = [
            models.UniqueConstraint(
                Lower("domain"),
                condition=~Q(domain=""),
                name="company_domain_once",
                violation_error_message="There is already a company with this domain.",
            ),
            models.CheckConstraint(
                condition=~Q(name=""), name="company_named", violation_error_message="A company needs a name."
            ),
        ]
        indexes = [models.Index(Lower(Trim("territory")), name="company_by_territory")]
        triggers = [
            *GovernedModel.Meta.triggers,
            pgtrigger.Trigger(
                name="scoring_due_update",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(new="new_rows"),  # type: ignore[no-untyped-call]
                func="""
                    INSERT INTO leads_scorequeue (lead_id)
                    SELECT l.id FROM leads_lead l JOIN new_rows n ON l.account_id = n.id ORDER BY l.id
                    ON CONFLICT DO NOTHING;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Keep the domain bare: no scheme, no www, small letters; leads find their company by it."""
        domain = self.domain.strip().lower().removeprefix("https://").removeprefix("http://").removeprefix("www.")
        self.domain = domain.split("/", 1)[0]
        try:
            if self.domain:
                validate_domain_name(self.domain)
        except ValidationError as error:
            said = f"“{self.domain}” is no domain; write it as example.com."
            raise ValidationError({"domain": said}) from error
