"""The pages of rules: documents with their active version and the next one, versions with builder and simulation."""

from apps.core.rules.admin.documents import RuleDocumentAdmin
from apps.core.rules.admin.versions import RuleVersionAdmin

__all__ = ["RuleDocumentAdmin", "RuleVersionAdmin"]
