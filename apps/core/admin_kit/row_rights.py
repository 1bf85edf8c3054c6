"""Rights by row: what Django's admin asks about permissions is answered by `apps.core.access`."""

from typing import Any, ClassVar

from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from apps.core import access
from apps.core.admin_kit.doors import not_shown, send_home
from apps.core.admin_kit.typed import fields_of, keep_typed, typed_in
from apps.core.governed import GovernedBase


class RowRights:
    """Answers Django's permission questions per row, through `apps.core.access`."""

    model: type[models.Model]
    asks_row_rights: ClassVar[bool] = True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may see rows of this kind, or this row."""
        return self._may(request, "view", obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may change rows of this kind, or this row."""
        return self._may(request, "change", obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may add rows of this kind."""
        return self._may(request, "add", None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes a governed row; it is archived."""
        return not issubclass(self.model, GovernedBase) and self._may(request, "delete", obj)

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        """Answer the menu, which asks about every kind of record: a single shared row makes no link to change."""
        person: Any = request.user
        by_role = access.has_model_permission(person, "change", self.model)
        return {
            "add": self.has_add_permission(request),
            "change": by_role and self.has_change_permission(request),
            "delete": self.has_delete_permission(request),
            "view": self.has_view_permission(request),
        }

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        typed = typed_in(request, fields_of(self.model)) if request.method == "POST" else []
        if typed:
            said = not_shown(self.model, str(object_id))
            return keep_typed(self, request, said, typed, back=reverse("admin:index"), status=404)
        return send_home(request, self.model, str(object_id))

    def _may(self, request: HttpRequest, verb: str, obj: Any) -> bool:
        user: Any = request.user
        if not user.is_authenticated:
            return False
        if obj is None or obj.pk is None or not isinstance(obj, self.model):
            return access.may_open(user, verb, self.model)
        return bool(access.can(user, verb, obj))
