"""What the checks know around a text: approved claims, the data dictionary, and what conditions ask about it."""

from collections.abc import Iterable
from typing import Any

from apps.content.domain.qa.findings import BODY, PREHEADER, SUBJECT, Given
from apps.content.domain.qa.reading import read_html, read_plain
from apps.content.enums import ExceptionState
from apps.content.models import Claim, ContentVersion
from apps.core.rules.predicates import catalog_of, values_of
from apps.technology.enums import Known
from apps.technology.models import DataField

Claims = tuple[tuple[str, Any, bool], ...]


def known_around() -> tuple[Claims, dict[str, bool]]:
    """Return what mops knows around a text: approved claims with their last day, and the fields of the dictionary."""
    rows = Claim.objects.live().filter(state=ExceptionState.APPROVED).values_list("wording", "valid_until")
    claims = tuple((wording, until, True) for wording, until in rows)
    return claims, fields_to_fill()


def fields_to_fill() -> dict[str, bool]:
    """Return the merge fields that the data dictionary knows, by the name people write; True: about people.

    A field is written with its entity, `contact.first_name`, or alone where no other entity has one of that name.
    """
    found: dict[str, bool] = {}
    alone: dict[str, int] = {}
    rows = DataField.objects.live().filter(entity__archived_at__isnull=True)
    for name, entity, personal in rows.values_list("name", "entity__name", "personal_data"):
        short = name.strip().lower().replace(" ", "_").replace("-", "_")
        found[f"{entity.strip().lower().replace(' ', '_')}.{short}"] = personal == Known.YES
        alone[short] = alone.get(short, 0) + 1
    for long in list(found):
        short = long.split(".", 1)[1]
        if alone[short] == 1:
            found.setdefault(short, found[long])
    return found


def given_of(version: ContentVersion, claims: Claims, fields: dict[str, bool]) -> Given:
    """Return a version as the checks see it; its text is read here, once."""
    read = read_html if version.asset.is_html else read_plain
    documents = {SUBJECT: read_plain(version.subject), BODY: read(version.body)}
    if version.preheader:
        documents[PREHEADER] = read_plain(version.preheader)
    return Given(documents, version.asset.kind, version.colours, claims, fields)


def values_of_versions(keys: Iterable[int]) -> dict[Any, dict[str, Any]]:
    """Return what conditions of rules ask about versions, by key."""
    return values_of(catalog_of(ContentVersion), ContentVersion.objects.filter(pk__in=list(keys)))
