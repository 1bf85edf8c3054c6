"""What rules may ask about leads: segments, scoring and routing all read this catalog."""

from apps.core.rules.predicates import Catalog, Field, Tags, model_fields
from apps.leads.models import Lead


def lead_catalog() -> Catalog:
    """Return the fields of leads; custom fields join by themselves."""
    return Catalog(
        fields=(
            *model_fields(
                Lead,
                *("stage", "company", "country", "territory", "origin", "source", "quality", "converted"),
                *("total_visits", "seconds_on_site", "last_activity", "last_notable_activity"),
                *("name", "email", "record_source", "external_id", "created_at"),
                *("owner_person", "owner_team"),
                exact=("email", "record_source", "external_id"),
            ),
            Field("tags", "Tags", Tags(Lead)),
        )
    )
