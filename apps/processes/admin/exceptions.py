"""What an exception carries on its page: the approval that decides about it."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest

from apps.approvals.models import ApprovalRequest
from apps.core import access

if TYPE_CHECKING:
    from apps.core.admin_kit.base import ReadOnlyAdmin
else:  # mixed into the real one
    ReadOnlyAdmin = object


class ShowsApproval(ReadOnlyAdmin):
    """The part of a page that leads from what waits for approval to the request, and says what was decided."""

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the requests about it, as far as this person sees them."""
        row, extra, person = self.get_object(request, object_id), dict(extra_context or {}), request.user
        if row is not None:
            requests: Any = access.visible(person, ApprovalRequest).filter(  # type: ignore[arg-type]  # a person
                object_id=row.pk,
                content_type__app_label=self.opts.app_label,
                content_type__model=self.opts.model_name,
            )
            panel = {
                "template": "admin/processes/approval_panel.html",
                "requests": requests.with_decisions().order_by("-pk"),
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)
