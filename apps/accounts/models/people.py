"""People, teams, and who plays which role where."""

import zoneinfo
from typing import TYPE_CHECKING, Any, ClassVar

import pgtrigger
from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Coalesce, Lower, NullIf
from django.utils.crypto import salted_hmac

from apps.accounts.enums import PRIVILEGED_ROLES, Role
from apps.core.governed import GovernedBase, GovernedModel, governed_history

if TYPE_CHECKING:
    from apps.core.access import Limit

MANAGERS_DEEP = 20


def validate_time_zone(name: str) -> None:
    """Refuse a name that no time-zone database knows."""
    if name and name not in zoneinfo.available_timezones():
        raise ValidationError(f"{name!r} is no time zone; use a name such as Europe/Berlin or America/New_York.")


def called(path: str) -> Coalesce:
    """Return what `str(person)` says, for a query that reads people behind the foreign key `path` by the hundred."""
    named = NullIf(f"{path}__full_name", models.Value(""))
    return Coalesce(named, f"{path}__email", output_field=models.CharField())


class PersonManager(UserManager["User"]):
    """Finds and makes people by e-mail."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a person whatever the case of the e-mail typed."""
        return self.get(email__iexact=username)

    def working(self) -> "models.QuerySet[User]":
        """Return the people who work here now: choices offer them, rules name them, work is given to them."""
        return self.filter(is_active=True, is_system=False)

    def create_person(self, email: str, *, full_name: str, password: str | None = None, **fields: Any) -> "User":
        """Make an active staff member; without a password the person can only come in by invitation or reset."""
        person = User(email=email.lower(), username=email.lower(), full_name=full_name, is_staff=True, **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person


class User(AbstractUser, GovernedBase):
    """A person who signs in, or a system principal that acts for mops itself."""

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    username = models.CharField(max_length=254, unique=True, editable=False)
    email = models.EmailField("e-mail", unique=True)
    full_name = models.CharField(max_length=150, help_text="As colleagues know the person.")
    title = models.CharField("job title", max_length=100, blank=True)
    manager = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="reports", help_text="Who this person reports to."
    )
    time_zone = models.CharField(
        max_length=64,
        blank=True,
        validators=[validate_time_zone],
        help_text="Times are shown in this zone, for instance Europe/Berlin. Empty: the zone of the installation.",
    )
    is_system = models.BooleanField(
        "system principal", default=False, editable=False, help_text="Acts for mops itself; can never sign in."
    )

    session_epoch = models.PositiveIntegerField(
        default=0, editable=False, help_text="Counted up to end every session of the person at once."
    )

    # known with the session, or asked once: see `apps.accounts.domain.territories`
    is_limited: bool | None = None
    known_limits: "dict[tuple[str, str], Limit | None] | None" = None

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]
    objects = PersonManager()  # type: ignore[misc,assignment]
    history = governed_history(excluded_fields=["password", "last_login", "session_epoch"])

    class Meta(GovernedBase.Meta):
        verbose_name = "person"
        verbose_name_plural = "people"
        ordering = ("full_name", "email")
        constraints = [
            models.UniqueConstraint(
                Lower("email"), name="person_email_once", violation_error_message="Somebody already has this e-mail."
            ),
        ]
        triggers = [
            *GovernedBase.Meta.triggers,
            pgtrigger.Trigger(
                name="people_stay",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                func="RAISE EXCEPTION 'People are deactivated, never deleted: their name stands in the evidence.';",
            ),
        ]

    def __str__(self) -> str:
        return self.full_name or self.email

    def clean(self) -> None:
        """Refuse a chain of managers that comes back to the person."""
        super().clean()
        manager, steps = self.manager, 0
        while manager is not None and steps < MANAGERS_DEEP:
            if self.pk and manager.pk == self.pk:
                raise ValidationError({"manager": "This would make the person their own manager."})
            manager, steps = manager.manager, steps + 1

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; the user name Django wants is always the e-mail."""
        self.email = self.email.lower()
        self.username = self.email
        super().save(*args, **kwargs)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Tie sessions to the password and to the epoch, so that counting the epoch ends them all."""
        value = f"{self.password}|{self.session_epoch}"
        return salted_hmac("mops.accounts.session", value, secret=secret, algorithm="sha256").hexdigest()

    def team_keys(self) -> "models.QuerySet[Any, Any]":
        """Return the keys of the teams this person is in, for `…__in` of a foreign key to a team."""
        return self.memberships.filter(archived_at__isnull=True).values("team")

    def get_full_name(self) -> str:
        """Return the name as colleagues know it."""
        return self.full_name

    def get_short_name(self) -> str:
        """Return the first word of the name."""
        return self.full_name.split(" ")[0] if self.full_name else self.email


class Team(GovernedModel):
    """People who own work together, for instance Marketing Operations or Demand Generation."""

    name = models.CharField(max_length=100, unique=True)
    purpose = models.TextField(blank=True, help_text="What the team answers for, in a sentence.")
    members = models.ManyToManyField(User, through="Membership", related_name="teams")

    class Meta(GovernedModel.Meta):
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Membership(GovernedModel):
    """One person in one team with one role."""

    team = models.ForeignKey(Team, models.PROTECT, related_name="memberships")
    person = models.ForeignKey(User, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    territory = models.ForeignKey(
        "accounts.Territory",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="limited to",
        help_text="The territory in which the role holds, with all that is part of it. Empty: everywhere.",
    )

    class Meta(GovernedModel.Meta):
        ordering = ("team", "person")
        verbose_name = "role held"
        verbose_name_plural = "roles held"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(territory__isnull=True) | ~models.Q(role__in=sorted(PRIVILEGED_ROLES)),
                name="membership_whole_where_privileged",
                violation_error_message="Administrators and auditors see all of mops; their role has no territory.",
            ),
            models.UniqueConstraint(
                fields=("team", "person", "role"),
                name="membership_once",
                violation_error_message="This person already has this role in this team.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.get_role_display()} · {self.team}"


class OwnedModel(models.Model):
    """Something that a person or a team owns, and somebody backs up."""

    owner_person = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="owner (person)"
    )
    owner_team = models.ForeignKey(
        "accounts.Team", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="owner (team)"
    )
    backup_person = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="backup (person)"
    )
    backup_team = models.ForeignKey(
        "accounts.Team", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="backup (team)"
    )

    class Meta:
        abstract = True

    @property
    def owner(self) -> User | Team | None:
        """Who answers for it: the person where one is named, else the team."""
        person: User | None = self.owner_person
        team: Team | None = self.owner_team
        return person or team

    @property
    def backup(self) -> User | Team | None:
        """Who stands in."""
        person: User | None = self.backup_person
        team: Team | None = self.backup_team
        return person or team
