"""The way on from a page that does not open."""

from typing import Any

from django import template

from apps.core.admin_kit.doors import door_of_page

register = template.Library()


@register.simple_tag(takes_context=True)
def door(context: template.Context) -> str:
    """Return where to ask for the record whose page was asked for, "" where there is nothing to ask for."""
    request: Any = context.get("request")
    return door_of_page(request) if request is not None else ""
