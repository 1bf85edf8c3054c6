"""Where audiences come from: apps above register a provider, so that campaigns never import leads.

`register_provider(AudienceProvider("leads", "Leads", …))` from `AppConfig.ready`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apps.accounts.models import User

# What is selected: field → the values of which one must hold.
Selection = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Members:
    """Who is in an audience: the keys in ascending order, and how many were left out, by reason."""

    keys: Sequence[int]
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class AudienceProvider:
    """One source of audiences.

    Attributes:
        key: "leads"; stable, kept with every audience.
        title: as people choose it.
        fields: what can be selected by: name → what it means, for the help text.
        refuse: `refuse(selection)` says what is wrong with a selection, None when it can be carried out.
        members: `members(selection, channel)` returns who is in it now and may be addressed in this channel: this is
            where consent is looked at, and whoever has none is left out with the reason.
        labels: `labels(user, keys)` returns how those of `keys` that `user` may see are called.
    """

    key: str
    title: str
    fields: Mapping[str, str]
    refuse: Callable[[Selection], str | None]
    members: Callable[[Selection, str], Members]
    labels: "Callable[[User, Sequence[int]], list[Any]]"


_providers: dict[str, AudienceProvider] = {}


def register_provider(provider: AudienceProvider) -> None:
    """Offer a source of audiences."""
    _providers[provider.key] = provider


def provider_of(key: str) -> AudienceProvider | None:
    """Return the provider of this key, None where no installed app brings it."""
    return _providers.get(key)


def provider_choices() -> list[tuple[str, str]]:
    """Return the sources there are, as choices."""
    return sorted(((each.key, each.title) for each in _providers.values()), key=lambda one: one[1])


def provider_help() -> str:
    """Say what each source can be selected by."""
    return " ".join(f"{each.title}: {', '.join(each.fields)}." for each in _providers.values())
