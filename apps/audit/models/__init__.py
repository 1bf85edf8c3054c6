"""The ledger, how long it is kept, when a change needs a reason, and the personal values beside it."""

from apps.audit.models.evidence import EvidencePackage
from apps.audit.models.ledger import AuditEvent, AuditEventQuerySet, LedgerReader
from apps.audit.models.personal import ErasedSubject, PersonalValue
from apps.audit.models.reasons import ReasonRule
from apps.audit.models.retention import LedgerMonth, LegalHold, RetentionPolicy
from apps.audit.models.schema import RecordedColumn
from apps.audit.models.seals import AuditSeal

__all__ = [
    "AuditEvent",
    "AuditEventQuerySet",
    "AuditSeal",
    "ErasedSubject",
    "EvidencePackage",
    "LedgerMonth",
    "LedgerReader",
    "LegalHold",
    "PersonalValue",
    "ReasonRule",
    "RecordedColumn",
    "RetentionPolicy",
]
