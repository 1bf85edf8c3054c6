"""Links that nobody signs in for are not tried by the thousand: looking counts as much as sending."""

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest

from apps.core import clock


def too_many_guesses(request: HttpRequest, what: str, *, most: int = 20) -> bool:
    """Count a try from the address of `request` and return whether it was one too many in this minute.

    allauth's own limits let every GET through, and a one-time link is tried by looking at it.

    Args:
        request: the request of somebody unknown.
        what: names the kind of link; each is counted by itself.
        most: how many tries a minute are let through.
    """
    key = f"guesses:{what}:{get_adapter().get_client_ip(request)}:{int(clock.now().timestamp()) // 60}"
    cache.add(key, 0, 120)
    return cache.incr(key) > most
