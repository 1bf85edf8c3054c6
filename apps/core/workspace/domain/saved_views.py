"""Saved views: keeping a list's filters, search and order under a name, for oneself or a team."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from apps.core import access
from apps.core.errors import InvalidInput, NotAllowed
from apps.core.workspace.models import DefaultView, SavedView
from apps.core.workspace.models.saved_view import NAME_LENGTH

if TYPE_CHECKING:
    from apps.accounts.models import User

LONGEST_QUERY, MOST_VIEWS = 2000, 50
SEARCH, ORDER = "q", "o"
Allowed = Callable[[str, str], bool]


def cleaned_query(query: str, allowed: Allowed) -> tuple[str, list[str]]:
    """Return the part of a query string that the list takes today, and the names of what it does not.

    Args:
        query: as an address has it, without the question mark.
        allowed: `allowed(lookup, value)` says whether the list lets people filter so.
    """
    kept, dropped = [], []
    for name, value in parse_qsl(query[:LONGEST_QUERY]):
        if name in (SEARCH, ORDER) or allowed(name, value):
            kept.append((name, value))
        elif name not in dropped:
            dropped.append(name)
    return urlencode(kept), dropped


def refuse_save_view(user: "User") -> str | None:
    """Return why `user` cannot keep views, None when it works."""
    if not access.has_model_permission(user, "change", SavedView):
        return "Your roles do not let you save views."
    return None


def refuse_change_view(user: "User", view: SavedView) -> str | None:
    """Return why `user` cannot rename, update or remove `view`, None when it works."""
    if refused := refuse_save_view(user):
        return refused
    return None if view.owner_id == user.pk else f"“{view}” belongs to {view.owner}, who alone can change it."


def save_view(kind: ContentType, name: str, query: str, *, by: "User", team: Any = None) -> SavedView:
    """Keep `query` on the list of `kind` under a name.

    Args:
        kind: the content type of the list's records.
        name: what the view is called; each person uses a name once per list.
        query: cleaned by `cleaned_query`.
        by: whose view it is.
        team: with whom it is shared; None keeps it private.

    Raises:
        NotAllowed: `by` may not keep views, or is not in the team.
        InvalidInput: the name is empty, too long or taken, there is nothing to keep, or there are too many.
    """
    if refused := refuse_save_view(by):
        raise NotAllowed(refused)
    if not query:
        raise InvalidInput("There is nothing to save: filter, search or sort the list first.")
    if len(query) > LONGEST_QUERY:
        raise InvalidInput("These filters are too long to save; use fewer at once.")
    if team is not None and not by.memberships.filter(team=team, archived_at__isnull=True).exists():
        raise NotAllowed("You can share a view only with a team you are in.")
    with transaction.atomic():
        mine = _mine(kind, by)
        if mine.count() >= MOST_VIEWS:
            raise InvalidInput(f"You have {MOST_VIEWS} views of this list; remove one that you do not use.")
        return SavedView.objects.create(
            content_type=kind, owner=by, team=team, query=query, name=_free_name(name, mine)
        )


def rename_view(view: SavedView, name: str, *, by: "User") -> SavedView:
    """Give a view another name.

    Raises:
        NotAllowed: it is somebody else's.
        InvalidInput: the name is empty, too long or taken.
    """
    with transaction.atomic():
        row = _locked(view, by)
        row.name = _free_name(name, _mine(row.content_type, by).exclude(pk=row.pk))
        row.save(update_fields=["name"])
    return row


def update_view(view: SavedView, query: str, *, by: "User") -> SavedView:
    """Let a view keep other filters.

    Raises:
        NotAllowed: it is somebody else's.
        InvalidInput: there is nothing to keep.
    """
    if not query:
        raise InvalidInput("There is nothing to save: filter, search or sort the list first.")
    with transaction.atomic():
        row = _locked(view, by)
        row.query = query
        row.save(update_fields=["query"])
    return row


def remove_view(view: SavedView, *, by: "User") -> None:
    """Remove a view for good, also for the team it was shared with.

    Raises:
        NotAllowed: it is somebody else's.
    """
    with transaction.atomic():
        _locked(view, by).delete()


def choose_default(kind: ContentType, view: SavedView | None, *, by: "User") -> None:
    """Open the list of `kind` with `view` from now on; None opens it with all rows again.

    Raises:
        NotAllowed: `by` may not keep views.
    """
    if refused := refuse_save_view(by):
        raise NotAllowed(refused)
    if view is None:
        DefaultView.objects.filter(owner=by, content_type=kind).delete()
    else:
        DefaultView.objects.update_or_create(owner=by, content_type=kind, defaults={"view": view})


def _mine(kind: ContentType, by: "User") -> Any:
    return SavedView.objects.select_for_update(of=("self",)).filter(content_type=kind, owner=by)


def _locked(view: SavedView, by: "User") -> SavedView:
    row = SavedView.objects.select_for_update(of=("self",)).select_related("owner", "content_type").get(pk=view.pk)
    if refused := refuse_change_view(by, row):
        raise NotAllowed(refused)
    return row


def _free_name(name: str, others: Any) -> str:
    name = " ".join(name.replace("\x00", "").split())
    if not name:
        raise InvalidInput("Give the view a name.")
    if len(name) > NAME_LENGTH:
        raise InvalidInput(f"The name is too long; {NAME_LENGTH} characters fit.")
    if others.filter(name__iexact=name).exists():
        raise InvalidInput(f"You have a view “{name}” of this list already; choose another name.")
    return name
