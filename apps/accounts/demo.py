"""The people of the demo: an invented company whose marketing operations mops keeps."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from apps.accounts.domain.principals import system_principal
from apps.accounts.domain.roles import synchronise_groups_of, synchronise_roles
from apps.accounts.enums import Role
from apps.accounts.models import Membership, Team, Territory, User
from apps.core.actors import acting_as
from apps.core.errors import WrongState

PASSWORD = "marketing operations demo"  # noqa: S105  # published on purpose, printed by `up`; refused in production

TEAMS: dict[str, str] = {
    "Marketing Operations": "Runs the processes, data and technology that marketing works with.",
    "Demand Generation": "Plans and runs the campaigns that bring in leads.",
    "Content": "Writes what campaigns, the website and sales say.",
    "Creative": "Designs what people see.",
    "Sales": "Turns leads into customers.",
    "IT": "Keeps systems, integrations and access safe.",
    "Finance and Legal": "Answers for budgets, contracts and compliance.",
    "Leadership": "Sets goals and reads the results.",
}


# name, what it is part of, other names
TERRITORIES: tuple[tuple[str, str, str], ...] = (
    ("Europe", "", "EMEA\nEU"),
    ("DACH", "Europe", "Germany\nAustria\nSwitzerland"),
    ("Benelux", "Europe", "Netherlands\nBelgium"),
    ("Southern Europe", "Europe", "Spain\nItaly\nPortugal"),
    ("Northern Europe", "Europe", ""),
    ("Nordics", "Northern Europe", "Sweden\nNorway\nDenmark\nFinland"),
    ("UK and Ireland", "Northern Europe", "UK\nUnited Kingdom\nIreland"),
    ("North America", "", "NA\nUnited States\nCanada"),
)
# people whose roles hold in one territory only
LIMITED = {"sales_2": "Northern Europe"}


@dataclass(frozen=True)
class DemoPerson:
    """One invented person: how code finds them, and who they are."""

    key: str
    full_name: str
    title: str
    team: str
    roles: tuple[Role, ...]
    manager: str = ""
    time_zone: str = ""
    signs_in_as: str = ""

    @property
    def email(self) -> str:
        """The address at a domain that is reserved for examples."""
        plain = unicodedata.normalize("NFKD", self.full_name).encode("ascii", "ignore").decode()
        return f"{plain.lower().replace(' ', '.')}@example.com"


_OPS, _BOTH = (Role.OPS,), (Role.OPS, Role.APPROVER)
PEOPLE: tuple[DemoPerson, ...] = (
    DemoPerson(
        "executive",
        "Helena Voss",
        "Chief Marketing Officer",
        "Leadership",
        (Role.EXECUTIVE,),
        "",
        "Europe/Berlin",
        "Executive",
    ),
    DemoPerson(
        "director",
        "Miriam Castellan",
        "Marketing Operations Director",
        "Marketing Operations",
        _BOTH,
        "executive",
        "Europe/Berlin",
        "Director",
    ),
    DemoPerson(
        "manager",
        "Jonas Weidenfeld",
        "Marketing Operations Manager",
        "Marketing Operations",
        _BOTH,
        "director",
        "Europe/Berlin",
        "Manager",
    ),
    DemoPerson(
        "specialist",
        "Priya Raghunath",
        "Marketing Automation Specialist",
        "Marketing Operations",
        _OPS,
        "manager",
        "Europe/London",
        "Automation specialist",
    ),
    DemoPerson(
        "specialist_2",
        "Tomasz Bielawny",
        "Marketing Automation Specialist",
        "Marketing Operations",
        _OPS,
        "manager",
        "Europe/Warsaw",
    ),
    DemoPerson(
        "analyst",
        "Amara Okonjo",
        "Data Analyst",
        "Marketing Operations",
        _OPS,
        "manager",
        "Europe/London",
        "Data analyst",
    ),
    DemoPerson(
        "technology_administrator",
        "Rui Tavares Pinto",
        "Technology Administrator",
        "IT",
        _OPS,
        "director",
        "Europe/Lisbon",
        "Technology administrator",
    ),
    DemoPerson(
        "demand_lead",
        "Sofie Lindqvist Berg",
        "Head of Demand Generation",
        "Demand Generation",
        _BOTH,
        "executive",
        "Europe/Stockholm",
    ),
    DemoPerson(
        "campaign_manager", "Nadia Ferhat", "Campaign Manager", "Demand Generation", _OPS, "demand_lead", "Europe/Paris"
    ),
    DemoPerson(
        "campaign_manager_2",
        "Caleb Marlowe",
        "Campaign Manager",
        "Demand Generation",
        _OPS,
        "demand_lead",
        "America/New_York",
    ),
    DemoPerson(
        "approver",
        "Ingrid Solheim Dahl",
        "Head of Content",
        "Content",
        (Role.APPROVER,),
        "executive",
        "Europe/Oslo",
        "Approver",
    ),
    DemoPerson("copywriter", "Marco Bellandi", "Senior Copywriter", "Content", _OPS, "approver", "Europe/Rome"),
    DemoPerson(
        "creative_lead", "Yuki Hanamura", "Creative Director", "Creative", (Role.APPROVER,), "executive", "Asia/Tokyo"
    ),
    DemoPerson(
        "events_lead",
        "Anneke van Rijswijk",
        "Head of Events",
        "Demand Generation",
        _BOTH,
        "director",
        "Europe/Amsterdam",
    ),
    DemoPerson("designer", "Lucía Montero Vidal", "Designer", "Creative", _OPS, "creative_lead", "Europe/Madrid"),
    DemoPerson(
        "legal",
        "Beatrix Oyelaran",
        "Legal Counsel",
        "Finance and Legal",
        (Role.APPROVER,),
        "executive",
        "Europe/London",
        "Approver (legal)",
    ),
    DemoPerson(
        "finance",
        "Stefan Kowarik",
        "Marketing Controller",
        "Finance and Legal",
        (Role.APPROVER,),
        "executive",
        "Europe/Vienna",
    ),
    DemoPerson(
        "auditor",
        "Farid Najem",
        "Internal Auditor",
        "Finance and Legal",
        (Role.AUDITOR,),
        "",
        "Europe/Zurich",
        "Auditor",
    ),
    DemoPerson(
        "sales_lead", "Grace Abernethy", "Sales Manager", "Sales", (Role.SALES,), "executive", "America/Chicago"
    ),
    DemoPerson(
        "sales",
        "Diego Fuentealba",
        "Account Executive",
        "Sales",
        (Role.SALES,),
        "sales_lead",
        "America/New_York",
        "Sales",
    ),
    DemoPerson(
        "sales_2", "Hannah Brightwater", "Account Executive", "Sales", (Role.SALES,), "sales_lead", "Europe/London"
    ),
    DemoPerson(
        "administrator",
        "Oskar Lindenau",
        "System Administrator",
        "IT",
        (Role.ADMINISTRATOR,),
        "director",
        "Europe/Berlin",
        "Administrator",
    ),
    DemoPerson(
        "administrator_2",
        "Leila Haddad Moreau",
        "IT Service Manager",
        "IT",
        (Role.ADMINISTRATOR,),
        "director",
        "Europe/Paris",
    ),
)

# (role, e-mail, password), in the order in which `up` prints them
SIGN_INS: list[tuple[str, str, str]] = [(each.signs_in_as, each.email, PASSWORD) for each in PEOPLE if each.signs_in_as]


def sign_ins_here() -> list[tuple[str, str, str]]:
    """Return the sign-ins whose person is in this database: none where no demo was loaded."""
    known = set(
        User.objects.filter(is_active=True, email__in=[email for _, email, _ in SIGN_INS]).values_list(
            "email", flat=True
        )
    )
    return [each for each in SIGN_INS if each[1] in known]


def load_people() -> dict[str, User]:
    """Make the demo's teams and people, or complete them; running it again changes nothing.

    Returns:
        The people by key ("director", "specialist", "approver", …); teams are found by the names in `TEAMS`.

    Raises:
        WrongState: this installation is no demo, and these people have a published password.
    """
    if not settings.DEMO:
        raise WrongState(
            "The demo's people have a published password and are made in a demo only. Set MOPS_DEMO=1 to make this "
            "installation one, or create your first administrator with manage.py create_admin."
        )
    synchronise_roles()
    with transaction.atomic(), acting_as(system_principal(), reason="Demo data"):
        teams = {
            name: Team.objects.get_or_create(name=name, defaults={"purpose": why})[0] for name, why in TEAMS.items()
        }
        territories = _territories()
        people: dict[str, User] = {}
        for each in PEOPLE:
            people[each.key] = _person(each, people.get(each.manager))
            _play(people[each.key], teams[each.team], each.roles, territories.get(LIMITED.get(each.key, "")))
    return people


def _person(wanted: DemoPerson, manager: User | None) -> User:
    found = User.objects.filter(email=wanted.email).first()
    if found is not None:
        return found
    person = User.objects.create_person(
        wanted.email, full_name=wanted.full_name, title=wanted.title, manager=manager, time_zone=wanted.time_zone
    )
    person.password = _hash_of_the_published_password()
    person.save(update_fields=["password"])
    return person


@cache
def _hash_of_the_published_password() -> str:
    """Hash it once: a slow hash for each of two dozen people would take most of the time of loading the demo."""
    return make_password(PASSWORD)


def _territories() -> dict[str, Territory]:
    made: dict[str, Territory] = {}
    for name, above, others in TERRITORIES:
        wanted = {"also_called": others, "parent": made.get(above)}
        made[name] = Territory.objects.get_or_create(name=name, defaults=wanted)[0]
    return made


def _play(person: User, team: Team, roles: Iterable[Role], territory: Territory | None) -> None:
    for role in roles:
        Membership.objects.get_or_create(team=team, person=person, role=role, defaults={"territory": territory})
    synchronise_groups_of(person)
