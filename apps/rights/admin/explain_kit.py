"""The way from every record's page to the explanation of who may do what with it."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from apps.core.admin_kit.kits import Kit, register_kit


class ExplainKit(Kit):
    """A link below every record."""

    key = "explain"
    order = 99

    def applies(self, model_admin: Any) -> bool:
        """Every record has it without naming it."""
        return True

    def panels(self, model_admin: Any, request: HttpRequest, thing: Any) -> Sequence[dict[str, Any]]:
        """Link to the explanation about the person who looks."""
        query = urlencode({"verb": "view", "kind": thing._meta.label_lower, "record": thing.pk})
        return ({"template": "admin/rights/explain_link.html", "url": f"{reverse('rights-explain')}?{query}"},)


register_kit(ExplainKit())
