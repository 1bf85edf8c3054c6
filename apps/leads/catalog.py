"""What rules may ask about leads: segments, scoring and routing all read this catalog."""

from apps.accounts.models import User
from apps.core.rules.predicates import (
    Boolean,
    Catalog,
    Field,
    Number,
    Reference,
    Relation,
    Tags,
    Text,
    model_fields,
)
from apps.leads.models import Lead, Touchpoint


def touch_catalog() -> Catalog:
    """Return what rules may ask about the touches of a lead."""
    return Catalog(
        fields=model_fields(Touchpoint, "type", "channel", "occurred_at", "source", "value", "is_machine"),
    )


def lead_catalog() -> Catalog:
    """Return the fields of leads; custom fields join by themselves."""
    return Catalog(
        fields=(
            *model_fields(
                Lead,
                *("stage", "company", "country", "territory", "origin", "source", "quality", "converted"),
                "product_interest",
                *("total_visits", "seconds_on_site", "last_activity", "last_notable_activity"),
                *("name", "email", "phone", "job_title", "record_source", "external_id", "created_at"),
                *("owner_person", "owner_team"),
                exact=("email", "phone", "record_source", "external_id"),
            ),
            Field("employees", "Company size", Number(whole=True), "account__employees", help="People who work there."),
            Field("industry", "Industry", Text(), "account__industry", help="Of the company."),
            Field("competitor", "Works for a competitor", Boolean(), "account__is_competitor"),
            Field(
                "account_manager",
                "Account manager of its company",
                Reference(User, rows=User.objects.working),
                "account__account_manager",
                help="Somebody a company is named for.",
            ),
            Field("tags", "Tags", Tags(Lead)),
        ),
        relations=(Relation("touches", "touches", Touchpoint, "lead", moment="occurred_at"),),
    )
