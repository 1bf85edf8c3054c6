"""The page that shows what each role opens, drawn from the grants in code."""

from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse

from apps.accounts.domain.roles import matrix
from apps.accounts.enums import PRIVILEGED_ROLES, ROLE_WORDS, Role
from apps.accounts.models import Membership


@admin.site.admin_view
def roles_page(request: HttpRequest) -> HttpResponse:
    """Show the matrix of roles and what they open; everybody inside may know it."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    playing = Membership.objects.live().filter(person__is_active=True).values("role")
    numbers = dict(playing.annotate(number=Count("person", distinct=True)).values_list("role", "number"))
    held = set(Membership.objects.live().filter(person=request.user).values_list("role", flat=True))
    roles = [
        {
            "label": role.label,
            "words": ROLE_WORDS[role],
            "people": numbers.get(role.value, 0),
            "second_factor": role in PRIVILEGED_ROLES,
            "own": role.value in held,
        }
        for role in Role
    ]
    context = {
        **admin.site.each_context(request),
        "title": "Roles",
        "roles": roles,
        "groups": matrix(Permission.objects.select_related("content_type"), of=admin.site._registry),
    }
    return TemplateResponse(request, "admin/accounts/roles.html", context)
