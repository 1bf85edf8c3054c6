"""Consistency checks: named queries for rows that should not exist, run from a list on a selection or on all."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join

SHOWN = 10


@dataclass(frozen=True)
class Check:
    """One check: what it looks for, and the rows that fail it."""

    title: str
    failing: Callable[[Any], models.QuerySet[Any]]


def run_checks(model_admin: Any, request: HttpRequest, selected: models.QuerySet[Any]) -> None:
    """Tell the person which of the selected rows fail which check, with links to them."""
    clean = True
    for check in model_admin.consistency_checks:
        failing = list(check.failing(selected)[: SHOWN + 1])
        if not failing:
            continue
        clean = False
        name = f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}_change"
        links = format_html_join(", ", '<a href="{}">{}</a>', ((_url(name, row), str(row)) for row in failing[:SHOWN]))
        more = " and more" if len(failing) > SHOWN else ""
        messages.warning(request, format_html("{}: {}{}", check.title, links, more))
    if clean:
        number = len(model_admin.consistency_checks)
        messages.success(request, f"All {number} checks passed on {selected.count()} rows.")


def _url(name: str, row: models.Model) -> str:
    return reverse(name, args=(row.pk,))
