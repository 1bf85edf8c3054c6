"""The kinds of notification, registered in code by the app that sends them."""

from collections.abc import Iterable
from dataclasses import dataclass

from apps.core.notifications.enums import Importance, Reach


@dataclass(frozen=True)
class Kind:
    """One kind of notification, as a person sees it among the preferences.

    Attributes:
        key: "approval.requested".
        label: what happens, for instance "Somebody asks for my approval".
        default: how far it reaches people who chose nothing.
        importance: urgent mail ignores quiet hours.
        mandatory: it cannot be switched off; people choose only how it reaches them.
    """

    key: str
    label: str
    default: Reach = Reach.MAIL
    importance: Importance = Importance.NORMAL
    mandatory: bool = False

    @property
    def group(self) -> str:
        """The part before the dot, under which the preferences list it."""
        return self.key.split(".")[0].replace("_", " ").capitalize()

    @property
    def choices(self) -> list[tuple[str, str]]:
        """How far a person may let it reach."""
        return [(value, label) for value, label in Reach.choices if not (self.mandatory and value == Reach.OFF)]

    def reach(self, chosen: str | None) -> Reach:
        """How far it reaches a person who chose `chosen`, or nothing."""
        reach = Reach(chosen) if chosen else self.default
        return self.default if self.mandatory and reach == Reach.OFF else reach


_kinds: dict[str, Kind] = {}


def register_kind(
    key: str,
    label: str,
    *,
    default: Reach = Reach.MAIL,
    importance: Importance = Importance.NORMAL,
    mandatory: bool = False,
) -> Kind:
    """Make a kind known; called from `AppConfig.ready` of the app that sends it."""
    if mandatory and default == Reach.OFF:
        raise ValueError(f"{key} cannot be switched off, so it cannot be off from the start.")
    _kinds[key] = Kind(key, label, default, importance, mandatory)
    return _kinds[key]


def kind_of(key: str) -> Kind:
    """Return the kind registered as `key`.

    Raises:
        LookupError: nobody registered it.
    """
    if key not in _kinds:
        raise LookupError(f"{key!r} is no kind of notification; call register_kind() in the ready() of its app.")
    return _kinds[key]


def label_of(key: str) -> str:
    """Return the label of a kind; its key where the app that knew it is gone."""
    return _kinds[key].label if key in _kinds else key


def all_kinds() -> Iterable[Kind]:
    """Return the kinds in the order of the preferences page."""
    return sorted(_kinds.values(), key=lambda kind: (kind.group, kind.label))
