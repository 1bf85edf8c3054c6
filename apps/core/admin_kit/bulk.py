"""Buttons for many rows at once: a list action shows what will happen to each, then does it one by one.

What a button refuses for a row is said beforehand and left out; each row is done by the same operation as on its page.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin import action
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import models
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from apps.core.admin_kit.buttons import Button, carry_out, form_of

MOST, SHOWN = 500, 50
Action = Callable[[Any, HttpRequest, "models.QuerySet[Any]"], HttpResponse | None]


def for_many(button: Button, label: str = "") -> Action:
    """Return the list action that does what `button` does with every chosen row, after showing what that is.

    Raises:
        ValueError: the button asks each row something else, or wants the person to sign in anew.
    """
    if button.form_for is not None or button.step_up:
        raise ValueError(f"{button.name} cannot be done with many rows at once.")

    def act(model_admin: Any, request: HttpRequest, queryset: "models.QuerySet[Any]") -> HttpResponse | None:
        number = queryset.count()
        if number > MOST:
            messages.error(request, f"{number:,} rows are chosen; at most {MOST} are done at once. Narrow the list.")
            return None
        rows = [(row, button.refused(request.user, row)) for row in queryset]
        sent = "bulk_apply" in request.POST
        kind = form_of(button, queryset.model, button.form, None)
        form = kind(request.POST if sent else None) if kind else None
        if sent and (form is None or form.is_valid()):
            _do(request, button, [row for row, refused in rows if not refused], form)
            return None
        return _show(model_admin, request, button, label or button.label, rows, form)

    name = f"many_{button.name.replace('-', '_')}"
    act.__name__ = name
    decorated: Action = action(description=label or button.label, permissions=["view"])(act)
    return decorated


def _do(request: HttpRequest, button: Button, rows: list[Any], form: Form | None) -> None:
    done, refusals = 0, dict[str, int]()
    for row in rows:
        is_done, said = carry_out(button, row, by=request.user, given=form.cleaned_data if form else {})
        if is_done:
            done += 1
        else:
            refusals[said] = refusals.get(said, 0) + 1
    if done:
        messages.success(request, f"{button.label}: {done:,} done.")
    for sentence, number in refusals.items():
        messages.error(request, sentence if number == 1 else f"{number:,} times: {sentence}")
    if not done and not refusals:
        messages.warning(request, f"{button.label}: nothing could be done with the chosen rows.")


def _show(
    model_admin: Any,
    request: HttpRequest,
    button: Button,
    label: str,
    rows: list[tuple[Any, str | None]],
    form: Form | None,
) -> HttpResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"{label}: {len(rows):,} chosen",
        "opts": model_admin.opts,
        "button": button,
        "form": form,
        "rows": rows[:SHOWN],
        "more": max(0, len(rows) - SHOWN),
        "able": sum(refused is None for _, refused in rows),
        "number": len(rows),
        "action": request.POST.get("action", ""),
        "across": request.POST.get("select_across", "0"),
        "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "checkbox": ACTION_CHECKBOX_NAME,
        "media": model_admin.media,
    }
    return TemplateResponse(request, "admin/mops/bulk.html", context)
