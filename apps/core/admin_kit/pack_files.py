"""A frozen pack as a file to take along: a document or a workbook, for those who may read it, and noted."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase

from apps.core.access_log import log_access
from apps.core.admin_kit.links import url_of
from apps.core.exchange.writing.tables import MEDIA
from apps.core.packs import can_print


def give_pack(
    model_admin: Any,
    request: HttpRequest,
    pack: models.Model | None,
    kind: str,
    *,
    name: Callable[[Any], str],
    document: Callable[[Any], bytes],
    workbook: Callable[[Any], Iterable[bytes]],
) -> HttpResponseBase:
    """Answer with a pack as a file.

    Args:
        model_admin: the admin of the pack, which says who may read it.
        request: the request.
        pack: the frozen pack, None where there is no such one.
        kind: "pdf" or "xlsx".
        name: `name(pack)` is the name of the file without its ending.
        document: `document(pack)` writes the PDF.
        workbook: `workbook(pack)` writes the workbook.

    Raises:
        Http404: no such pack or kind of file.
        PermissionDenied: this person may not read the pack.
    """
    if pack is None or kind not in ("pdf", "xlsx"):
        raise Http404
    if not model_admin.has_view_permission(request, pack):
        raise PermissionDenied
    if kind == "pdf" and not can_print():
        messages.error(request, "This installation cannot write PDF files; take the Excel file instead.")
        return HttpResponseRedirect(url_of(pack))
    person: Any = request.user
    log_access("export", by=person, thing=pack, detail={"format": kind})
    headers = {"Content-Disposition": f'attachment; filename="{name(pack)}.{kind}"'}
    if kind == "pdf":
        return HttpResponse(document(pack), content_type="application/pdf", headers=headers)
    return StreamingHttpResponse(workbook(pack), content_type=MEDIA["xlsx"], headers=headers)
