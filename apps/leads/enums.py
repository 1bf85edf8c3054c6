"""The words of leads: the six stages of the lifecycle."""

from django.db import models


class Stage(models.TextChoices):
    """Where a lead stands between a first visit and a customer who recommends us."""

    ANONYMOUS_VISITOR = "anonymous_visitor", "Anonymous visitor"
    KNOWN_LEAD = "known_lead", "Known lead"
    MQL = "mql", "Marketing qualified (MQL)"
    SQL = "sql", "Sales qualified (SQL)"
    CUSTOMER = "customer", "Customer"
    ADVOCATE = "advocate", "Advocate"


# From which stage a lead may go where; what is not ready goes back to the known leads.
MOVES: dict[Stage, tuple[Stage, ...]] = {
    Stage.ANONYMOUS_VISITOR: (Stage.KNOWN_LEAD,),
    Stage.KNOWN_LEAD: (Stage.MQL,),
    Stage.MQL: (Stage.SQL, Stage.KNOWN_LEAD),
    Stage.SQL: (Stage.CUSTOMER, Stage.KNOWN_LEAD),
    Stage.CUSTOMER: (Stage.ADVOCATE,),
    Stage.ADVOCATE: (),
}
