"""Erasing a person whose leads were merged: all of them are that person."""

from django.db.models import Q

from apps.audit.domain.personal import erase_further
from apps.core.personal import Traces
from apps.leads.models import Lead


def erase_merged(traces: Traces) -> int:
    """Erase the leads that were merged into those being erased, or that these were merged into."""
    done = 0
    for row in traces.rows:
        if not isinstance(row, Lead):
            continue
        family = Q(merged_into=row.pk) if row.merged_into_id is None else Q(pk=row.merged_into_id)
        others = Lead._base_manager.filter(family)
        for other in others.order_by("pk"):
            if other.name or other.email or other.phone or other.external_id:
                erase_further(other)
                done += 1
    return done
