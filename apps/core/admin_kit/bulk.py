"""Buttons for many rows at once: a list action shows what will happen to each, then does it one by one.

What a button refuses for a row is said beforehand and left out; each row is done by the same operation as on its page.
"""

from collections import Counter
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
from apps.core.admin_kit.typed import keep_typed, typed_in
from apps.core.asking import asking_once

MOST, SHOWN = 500, 50
InWords = Callable[[list[str]], str]  # what was said of each row that was done → one sentence
Action = Callable[[Any, HttpRequest, "models.QuerySet[Any]"], HttpResponse | None]


def for_many(button: Button, label: str = "", *, in_words: InWords | None = None) -> Action:
    """Return the list action that does what `button` does with every chosen row, after showing what that is.

    Args:
        button: done with each row as on its page.
        label: what the action is called in the list; as the button where it is empty.
        in_words: makes one sentence of what the operation said of each row; how many were done where it is left out.

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
        with asking_once():  # of each row the same is asked: who may, and what the rules in force say
            rows = [(row, button.refused(request.user, row)) for row in queryset]
        sent = "bulk_apply" in request.POST
        kind = form_of(button, queryset.model, button.form, None)
        form = kind(request.POST if sent else None) if kind else None
        able = [row for row, refused in rows if not refused]
        if sent and able and (form is None or form.is_valid()):
            done, refusals = _do(button, able, form, by=request.user)
            sentence = in_words(done) if in_words and done else f"{button.label}: {len(done):,} done."
            return _told(model_admin, request, button, form, sentence if done else "", refusals)
        if sent and not able:
            refusals = Counter(str(refused) for _, refused in rows)
            return _told(model_admin, request, button, form, "", refusals)
        return _show(model_admin, request, button, label or button.label, rows, form)

    name = f"many_{button.name.replace('-', '_')}"
    act.__name__ = name
    decorated: Action = action(description=label or button.label, permissions=["view"])(act)
    return decorated


def _do(button: Button, rows: list[Any], form: Form | None, *, by: Any) -> tuple[list[str], Counter[str]]:
    """Do it with each row, and return what was said of those it was done with, and how often each refusal was said."""
    done, refusals = list[str](), Counter[str]()
    for row in rows:
        is_done, said = carry_out(button, row, by=by, given=form.cleaned_data if form else {})
        if is_done:
            done.append(said)
        else:
            refusals[said] += 1
    return done, refusals


def _told(
    model_admin: Any, request: HttpRequest, button: Button, form: Form | None, done: str, refusals: Counter[str]
) -> HttpResponse | None:
    """Say what became of the rows; where nothing was done with any of them, what was typed stays on the page."""
    said = [sentence if number == 1 else f"{number:,} times: {sentence}" for sentence, number in refusals.items()]
    nothing = f"{button.label}: nothing was done; the chosen rows are not in this list any more."
    typed = typed_in(request, form.fields) if form and not done else []
    if typed:
        return keep_typed(model_admin, request, " ".join(said) or nothing, typed, back=request.get_full_path())
    if done:
        messages.success(request, done)
    for sentence in said:
        messages.error(request, sentence)
    if not done and not refusals:
        messages.warning(request, nothing)
    return None


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
        "rows": sorted(rows, key=lambda each: each[1] is None)[:SHOWN],  # what is left out, and why, is read first
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
