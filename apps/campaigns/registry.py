"""What apps above tell campaigns, so that campaigns never import leads: audiences, and where UTM tags turn up.

`register_provider(AudienceProvider("leads", "Leads", …))` and `register_witness(…)` from `AppConfig.ready`.
"""

import datetime as dt
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
        words: for the fields with fixed values how people call each: field → value → label.
    """

    key: str
    title: str
    fields: Mapping[str, str]
    refuse: Callable[[Selection], str | None]
    members: Callable[[Selection, str], Members]
    labels: "Callable[[User, Sequence[int]], list[Any]]"
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def in_words(self, selection: Selection) -> list[tuple[str, list[str]]]:
        """Return a selection as people read it."""
        return [
            (name.replace("_", " ").capitalize(), [self.words.get(name, {}).get(each, each) for each in values])
            for name, values in selection.items()
        ]


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


@dataclass(frozen=True)
class SeenTags:
    """Five UTM tags as they were seen somewhere: source, medium, campaign, term, content; how often and when."""

    tags: tuple[str, str, str, str, str]
    number: int
    first: dt.date
    last: dt.date
    where: str


@dataclass(frozen=True)
class TagWitness:
    """One place where links with UTM tags turn up: visits of leads, texts, figures of a tool.

    Attributes:
        key: "leads.touches"; stable.
        title: as people read it: "Touches of leads".
        seen: `seen(user, since, most)` returns what was seen since that day and `user` may know of, most often first.
        are_visits: whether people came by a link; one that merely stands in a text was followed by nobody.
    """

    key: str
    title: str
    seen: "Callable[[User, dt.date, int], list[SeenTags]]"
    are_visits: bool = True


_witnesses: dict[str, TagWitness] = {}


def register_witness(witness: TagWitness) -> None:
    """Let the drift report of UTM tags look somewhere."""
    _witnesses[witness.key] = witness


def witnesses() -> list[TagWitness]:
    """Return where the drift report looks, by title."""
    return sorted(_witnesses.values(), key=lambda one: one.title)


@dataclass(frozen=True)
class ConsentCheck:
    """Who of an audience agreed to be addressed, asked of the app that keeps consents.

    Attributes:
        provider: the key of the audience provider whose people it knows.
        without: `without(keys, channel)` returns how many of these people have not said yes to this channel; None
            where the channel needs no consent.
    """

    provider: str
    without: Callable[[Sequence[int], str], int | None]


_consents: dict[str, ConsentCheck] = {}


def register_consent_check(check: ConsentCheck) -> None:
    """Tell campaigns who knows about the consent of an audience."""
    _consents[check.provider] = check


def consent_check_of(provider: str) -> ConsentCheck | None:
    """Return who knows about the consent of this provider's people, None where nobody does."""
    return _consents.get(provider)
