"""Templates to start from, and processes in and out as Markdown files."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import mark_safe

from apps.core import access
from apps.core.errors import DomainError
from apps.core.markdown import render
from apps.core.uploads import upload_refusal
from apps.processes.domain import handbook
from apps.processes.domain.drawing import svg_of
from apps.processes.domain.layout import lay_out
from apps.processes.domain.step_roles import unlisted
from apps.processes.models import Process, SOPVersion

HELD_FOR = 3600
_SALT = "mops.processes.handbook"
_MOST_UPLOAD = 6_000_000


class TitleForm(forms.Form):
    """What the new process is called."""

    title = forms.CharField(max_length=150, help_text="As people know it; you can change it later.")


def _may_add(request: HttpRequest) -> bool:
    person: Any = request.user
    return access.has_model_permission(person, "add", Process)


def _seen(request: HttpRequest) -> None:
    person: Any = request.user
    if not access.has_model_permission(person, "view", Process):
        raise PermissionDenied


def templates_page(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """List what mops ships."""
    _seen(request)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Start from a template",
        "templates": handbook.templates(),
        "taken": {title.lower() for title in Process.objects.values_list("title", flat=True)},
    }
    return TemplateResponse(request, "admin/processes/templates.html", context)


def template_page(model_admin: Any, request: HttpRequest, key: str) -> HttpResponse:
    """Show one template with its map and text, and start a process from it."""
    _seen(request)
    template = next((each for each in handbook.templates() if each.key == key), None)
    if template is None:
        raise Http404
    given = request.POST if request.method == "POST" else None
    form = TitleForm(given, initial={"title": template.document.title})
    person: Any = request.user
    if request.method == "POST" and form.is_valid():
        try:
            version = handbook.start_from_template(key, by=person, title=form.cleaned_data["title"])
        except DomainError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, f"{version} is a draft now: make it yours, then send it for approval.")
            return HttpResponseRedirect(reverse("admin:processes_sopversion_change", args=(version.pk,)))
    document = template.document
    drawn = svg_of(lay_out(document.flow), f"Map of {document.title}")
    context = {
        **model_admin.admin_site.each_context(request),
        "title": document.title,
        "document": document,
        "svg": mark_safe(drawn),  # noqa: S308  # every text in it is escaped by svg_of
        "html": render(document.body),
        "form": form if _may_add(request) else None,
        "new_roles": unlisted(document.flow),
        "back": reverse("admin:processes_process_templates"),
    }
    return TemplateResponse(request, "admin/processes/template.html", context)


def import_page(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Check Markdown files, show what each would become, then bring them in."""
    if not _may_add(request):
        raise PermissionDenied("You may not add processes.")
    outcomes, held, done = [], "", False
    if request.method == "POST":
        try:
            files, held = _files(request)
            person: Any = request.user
            done = "bring_in" in request.POST
            outcomes = (handbook.import_files if done else handbook.check_files)(files, by=person)
        except DomainError as refusal:
            messages.error(request, refusal.message)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Bring in Markdown files",
        "outcomes": outcomes,
        "able": sum(not each.is_refused for each in outcomes),
        "held": held,
        "done": done,
        "back": reverse("admin:processes_process_changelist"),
    }
    return TemplateResponse(request, "admin/processes/import.html", context)


def _files(request: HttpRequest) -> tuple[list[tuple[str, str]], str]:
    """The files of this request, or those that were checked a moment ago; with what holds them until then."""
    if refused := upload_refusal(request):
        raise DomainError(refused)
    if held := request.POST.get("held"):
        try:
            found = signing.loads(held, salt=_SALT, max_age=HELD_FOR)
        except signing.BadSignature as error:
            raise DomainError("What was checked is no longer at hand; choose the files again.") from error
        return [(str(name), str(text)) for name, text in found], held
    files, total = [], 0
    folder = [each for each in request.FILES.getlist("folder") if handbook.is_markdown(str(each.name))]
    if left := len(request.FILES.getlist("folder")) - len(folder):
        messages.info(request, f"{left} other file{'s' if left > 1 else ''} of the folder stayed out: only .md counts.")
    for upload in [*request.FILES.getlist("files"), *folder]:
        total += upload.size or 0
        if total > _MOST_UPLOAD:
            raise DomainError(f"More than {_MOST_UPLOAD // 1_000_000} MB at once; send fewer files.")
        files += handbook.unpack(str(upload.name), upload.read())
    if not files:
        raise DomainError("Choose one or more .md files, a folder or a .zip of them.")
    if len(files) > handbook.MOST_FILES or sum(len(text) for _, text in files) > handbook.MOST_BYTES:
        raise DomainError(f"At most {handbook.MOST_FILES} files and {handbook.MOST_BYTES // 1_000_000} MB at once.")
    return files, signing.dumps(files, salt=_SALT, compress=True)


def export_page(request: HttpRequest) -> HttpResponse:
    """Answer with a zip of every process in force that this person sees."""
    _seen(request)
    person: Any = request.user
    answer = HttpResponse(handbook.export_handbook(by=person), content_type="application/zip")
    answer["Content-Disposition"] = 'attachment; filename="handbook.zip"'
    return answer


def version_file(request: HttpRequest, object_id: int) -> HttpResponse:
    """Answer with one version as Markdown."""
    person: Any = request.user
    version = access.visible(person, SOPVersion).select_related("process").filter(pk=object_id).first()
    if version is None:
        raise Http404
    name, text = handbook.export_version(version, by=person)
    answer = HttpResponse(text, content_type="text/markdown; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
