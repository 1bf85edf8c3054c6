"""Links from one record's page or list to another record."""

from django.db import models
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html

from apps.core.words import NOTHING


def url_of(record: models.Model | None) -> str:
    """Return the address of a record's page, "" where it has none."""
    if record is None:
        return ""
    try:
        return reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_change", args=(record.pk,))
    except NoReverseMatch:
        return ""


def link_to(record: models.Model | None) -> str:
    """Return the record's name as a link to its page, or the bare name where it has none."""
    if record is None:
        return NOTHING
    url = url_of(record)
    return format_html('<a class="mops-link" href="{}">{}</a>', url, str(record)) if url else str(record)
