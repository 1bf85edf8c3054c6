"""Erasing a person whose leads were merged: all of them are that person."""

from apps.audit.domain.personal import erase_further
from apps.core.personal import Traces
from apps.leads.models import Lead


def erase_merged(traces: Traces) -> int:
    """Erase the leads that were merged into those being erased, or that these were merged into."""
    done = 0
    for row in traces.rows:
        if not isinstance(row, Lead):
            continue
        others = Lead._base_manager.filter(merged_into=row.pk) | Lead._base_manager.filter(pk=row.merged_into_id)
        for other in others.order_by("pk"):
            if other.name or other.email or other.phone or other.external_id:
                erase_further(other)
                done += 1
    return done
